#include "onnx/activation.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <pade/core/error.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/polynomial_basis.h>

#include "onnx/symbol.h"

namespace pade::onnx {
namespace {

/// The formulas that are an operator of ONNX, with the attribute that is their constant.
constexpr struct {
  std::string_view formula;
  const char *op, *attribute = nullptr;
} kOperators[] = {{"identity", "Identity"},
                  {"relu", "Relu"},
                  {"elu", "Elu", "alpha"},
                  {"prelu", "LeakyRelu", "alpha"},
                  {"leaky_relu", "LeakyRelu", "alpha"},
                  {"sigmoid", "Sigmoid"},
                  {"hard_swish", "HardSwish"}};

std::string add_formula(Graph& graph, const Formula& formula, const std::vector<double>& constants,
                        const std::string& x) {
  for (const auto& [name, op, attribute] : kOperators) {
    if (name != formula.name) continue;
    std::vector<Attribute> attributes;
    if (attribute) attributes.emplace_back(attribute, constants.front());
    return graph.node(op, {x}, attributes);
  }
  Symbol y;
  formulas::with_formula<formulas::Activations>(formula.index, [&](auto f) {
    Symbol c[formulas::kPlaces<decltype(f)>];
    formulas::load_constants<decltype(f)>(constants.data(), c);
    y = f.value(Symbol(graph, x), c);
  });
  return y.value();
}

/// The coefficients of rational functions, one function or one for each of some groups of channels.
class Coefficients {
 public:
  Coefficients(Graph& graph, const std::vector<ActivationFunction>& groups, const Shape& x)
      : graph_(graph), groups_(groups) {
    const int64_t count = std::ssize(groups);
    if (count == 1) return;
    check(x.rank() >= 2 && x[1] % count == 0, "onnx: the channels of ", x, " cannot be cut into ",
          count, " groups");
    repeats_ = x[1] / count;
    for (int axis = 0; axis < x.rank(); ++axis) shape_.push_back(axis == 1 ? x[1] : 1);
  }

  /// of(function) for each channel, as a tensor that x can be multiplied by.
  template <class F>
  Symbol operator()(const std::string& name, F&& of) const {
    std::vector<double> values;
    for (const ActivationFunction& group : groups_)
      values.insert(values.end(), static_cast<size_t>(repeats_), of(*group.rational()));
    const std::string prefix = graph_.path.empty() ? "" : graph_.path + "/";
    return {graph_, graph_.tensor(prefix + name, Tensor::from<double>(values, Shape(shape_)))};
  }

 private:
  Graph& graph_;
  const std::vector<ActivationFunction>& groups_;
  int64_t repeats_ = 1;
  std::vector<int64_t> shape_;
};

/// How many coefficients there are up to the last that is not 0 in some function. The others would
/// only bring powers of t, which underflow where x is large.
int used_coefficients(const std::vector<ActivationFunction>& groups,
                      std::vector<double> RationalFunction::*coefficients) {
  size_t used = 0;
  for (const ActivationFunction& group : groups) {
    const std::vector<double>& values = group.rational()->*coefficients;
    for (size_t i = used; i < values.size(); ++i)
      if (values[i] != 0) used = i + 1;
  }
  return static_cast<int>(used);
}

/// As core/kernels/math/rational_large_x.h has it: with s = max(1, |x|), u = x/s and t = 1/s, the
/// polynomials e_k, of leading coefficient 1, become g_k = e_k / sᵏ, which no x makes large, and
///   G = s^{m−n} Σ c_i g_i t^{m−i} / (q_0 tⁿ + Σ d_j |g_j| t^{n−j}).
/// The file's c_i and d_j are those of the e_k.
std::string add_rational(Graph& graph, const std::vector<ActivationFunction>& groups,
                         const std::string& input, const Shape& shape) {
  const RationalFunction& first = *groups.front().rational();
  const RationalForm form = first.options.form;
  const int first_d = first_denominator(form);
  const int m = std::max(0, used_coefficients(groups, &RationalFunction::c) - 1);
  const int n = std::max(0, used_coefficients(groups, &RationalFunction::d) + first_d - 1);
  const MonicRecurrence monic = monic_recurrence_of(first.options.basis);
  const Coefficients coefficients(graph, groups, shape);
  const auto c = [&](int i) {
    return coefficients("c" + std::to_string(i), [&](const RationalFunction& f) {
      return f.c[static_cast<size_t>(i)] * monic.scale[static_cast<size_t>(i)];
    });
  };
  const auto d = [&](int j) {
    return coefficients("d" + std::to_string(j), [&](const RationalFunction& f) {
      const double d_j = f.d[static_cast<size_t>(j - first_d)];
      return (form == RationalForm::termwise ? std::abs(d_j) : d_j) *
             monic.scale[static_cast<size_t>(j)];
    });
  };

  const Symbol x(graph, input), s = larger(magnitude(x), Symbol(1)), t = Symbol(1) / s, t2 = t * t;
  const Symbol u = monic.sign < 0 ? -(x / s) : x / s;
  Symbol g(1), before(0), p = c(0), constant(denominator_constant(form));
  Symbol sum = first_d == 0 ? d(0) : Symbol(0);
  for (int k = 1; k <= std::max(m, n); ++k) {
    const double shift = monic.shift[static_cast<size_t>(k - 1)];
    const double drop = monic.drop[static_cast<size_t>(k - 1)];
    const Symbol next = (u + Symbol(shift) * t) * g - Symbol(drop) * t2 * before;
    before = g;
    g = next;
    if (k <= m) p = p * t + c(k) * g;
    if (k > n) continue;
    sum = sum * t + d(k) * (form == RationalForm::termwise ? magnitude(g) : g);
    constant = constant * t;
  }
  const bool is_magnitude = takes_magnitude_of_sum(form) && !sum.is(0);
  Symbol y = p / (constant + (is_magnitude ? magnitude(sum) : sum));
  for (int k = n; k < m; ++k) y = y * s;
  for (int k = m; k < n; ++k) y = y * t;
  if (m == 0 && n == 0) y = y + Symbol::node("Mul", {x, Symbol(0)});  // a constant, in x's shape
  return y.value();
}

}  // namespace

std::vector<ActivationFunction> functions_of(const Activation& activation) {
  std::vector<ActivationFunction> functions;
  for (int64_t group = 0; group < activation.groups(); ++group)
    functions.push_back(activation.as_function(group));
  return functions;
}

std::string add_activation(Graph& graph, const std::vector<ActivationFunction>& groups,
                           const std::string& x, const Shape& shape) {
  const ActivationFunction& f = groups.front();
  return f.formula() ? add_formula(graph, *f.formula(), f.values(), x)
                     : add_rational(graph, groups, x, shape);
}

std::string onnx_of(const std::vector<ActivationFunction>& groups, const Description& description) {
  const int64_t count = std::ssize(groups);
  const Shape sample = count == 1 ? Shape{} : Shape{count};
  Graph graph("x", sample);
  const Shape x = count == 1 ? Shape{1} : Shape{1, count};
  return graph.file(add_activation(graph, groups, "x", x), "y", sample, description);
}

}  // namespace pade::onnx
