#include <functional>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/parameters.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

template <class F>
Formula described(F, int index) {
  Formula formula{F::kName, F::kText, {}, index};
  for (const formulas::Constant& constant : F::kConstants)
    formula.constants.push_back({constant.name, constant.start, constant.learns});
  return formula;
}

template <class F, size_t kIndex = 0>
constexpr int index_of() {
  if constexpr (std::is_same_v<F, std::tuple_element_t<kIndex, formulas::All>>)
    return static_cast<int>(kIndex);
  else
    return index_of<F, kIndex + 1>();
}

template <class F>
Tensor apply_op(const Tensor& x, std::vector<double> constants = {}) {
  static const Formula formula = described(F{}, index_of<F>());
  return apply({formula, std::move(constants)}, x);
}

void check_count(const Formula& formula, const std::vector<double>& constants) {
  check(constants.size() == formula.constants.size(), formula.name, ": expected ",
        formula.constants.size(), " constants, got ", constants.size());
}

void check_constants(const Formula& formula, const Tensor& x, const Tensor& constants) {
  check_vector(formula.name, {"x", x}, {"constants", constants},
               static_cast<int64_t>(formula.constants.size()));
}

}  // namespace

Tensor exp(const Tensor& x) { return apply_op<formulas::Exp>(x); }
Tensor log(const Tensor& x) { return apply_op<formulas::Log>(x); }
Tensor sqrt(const Tensor& x) { return apply_op<formulas::Sqrt>(x); }
Tensor abs(const Tensor& x) { return apply_op<formulas::Abs>(x); }
Tensor power(const Tensor& x, double exponent) { return apply_op<formulas::Power>(x, {exponent}); }
Tensor sin(const Tensor& x) { return apply_op<formulas::Sin>(x); }
Tensor cos(const Tensor& x) { return apply_op<formulas::Cos>(x); }
Tensor tanh(const Tensor& x) { return apply_op<formulas::Tanh>(x); }
Tensor sigmoid(const Tensor& x) { return apply_op<formulas::Sigmoid>(x); }
Tensor relu(const Tensor& x) { return apply_op<formulas::Relu>(x); }
Tensor leaky_relu(const Tensor& x, double slope) {
  return apply_op<formulas::LeakyRelu>(x, {slope});
}

Tensor clamp(const Tensor& x, double low, double high) {
  check(low <= high, "clamp: low ", low, " is above high ", high);
  return apply_op<formulas::Clamp>(x, {low, high});
}

std::vector<double> Formula::starts() const {
  std::vector<double> values;
  for (const Constant& constant : constants) values.push_back(constant.start);
  return values;
}

const std::vector<Formula>& all_formulas() {
  static const std::vector<Formula> all = [] {
    std::vector<Formula> all;
    for (int i = 0; i < static_cast<int>(std::tuple_size_v<formulas::Activations>); ++i)
      formulas::with_formula(i, [&](auto formula) { all.push_back(described(formula, i)); });
    return all;
  }();
  return all;
}

const Formula* find_formula(std::string_view name) {
  for (const Formula& formula : all_formulas())
    if (name == formula.name) return &formula;
  return nullptr;
}

Tensor apply_formula(const Formula& formula, const Tensor& x, const Tensor& constants,
                     const std::vector<bool>& learns) {
  return apply({formula, constants, learns}, x);
}

Derivatives derivatives_of(const Formula& formula, double x, const std::vector<double>& constants) {
  check_count(formula, constants);
  Derivatives derivatives{};
  formulas::with_formula<formulas::Activations>(formula.index, [&](auto f) {
    using F = decltype(f);
    const auto y = formulas::curvature_at<F>(x, constants.data());
    const bool is_reached = formulas::within_reach<F, double>(x) == x;
    derivatives = {is_reached ? y.value.value : formulas::value_at<F>(x, constants.data()),
                   y.value.slopes[0], y.slopes[0].slopes[0]};
  });
  return derivatives;
}

std::vector<double> gradient_of(const Formula& formula, double x,
                                const std::vector<double>& constants) {
  check_count(formula, constants);
  std::vector<double> gradient;
  formulas::with_formula<formulas::Activations>(formula.index, [&](auto f) {
    const auto y = formulas::all_slopes_at<decltype(f)>(x, constants.data());
    gradient.assign(y.slopes + 1, std::end(y.slopes));
  });
  return gradient;
}

ElementwiseFunction::ElementwiseFunction(const Formula& formula, std::vector<double> constants)
    : kind(OfFormula{&formula, std::move(constants), {}}) {}

ElementwiseFunction::ElementwiseFunction(const Formula& formula, const Tensor& constants,
                                         std::vector<bool> learns)
    : kind(OfFormula{&formula, {}, std::move(learns)}), parameters{constants} {}

ElementwiseFunction::ElementwiseFunction(const Tensor& numerator, const Tensor& denominator,
                                         RationalOptions options)
    : kind(options), parameters{numerator, denominator} {}

const char* ElementwiseFunction::name() const {
  const auto* of_formula = std::get_if<OfFormula>(&kind);
  return of_formula ? of_formula->formula->name : "rational";
}

ElementwiseProblem ElementwiseFunction::problem(const Tensor& x) const {
  check_floating(name(), {"x", x});
  if (const auto* options = std::get_if<RationalOptions>(&kind))
    return {rational_problem(x, parameters[0], parameters[1], *options), false, 2};
  const auto& [formula, constants, learns] = std::get<OfFormula>(kind);
  const size_t count = formula->constants.size();
  if (parameters.empty())
    check_count(*formula, constants);
  else
    check_constants(*formula, x, parameters[0]);
  check(learns.empty() || learns.size() == count, formula->name, ": expected ", count,
        " answers whether a constant learns, got ", learns.size());
  bool saves_value = false;
  formulas::with_formula(formula->index,
                         [&](auto f) { saves_value = formulas::kSavesValue<decltype(f)>; });
  return {FormulaProblem{formula->index, formula->name, constants, learns}, saves_value,
          static_cast<int>(parameters.size())};
}

Tensor apply(const ElementwiseFunction& f, const Tensor& x) {
  const ElementwiseProblem problem = f.problem(x);
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).elementwise_forward(problem, f.parameters, x, y);
  record(f.name(), before_parameters({&x}, f), y,
         before_parameters({problem.saves_value ? &y : &x}, f), [problem](Gradients& gradients) {
           const Tensor &saved = gradients.saved(0), &dy = gradients.of_output();
           set_parameters(gradients, problem, 1, 1, [&](auto parameters, auto of_parameters) {
             Tensor dx = Tensor::empty_like(dy);
             kernels_of(dy).elementwise_backward(problem, parameters, saved, dy, dx, of_parameters);
             gradients.set(0, dx);
           });
         });
  return y;
}

std::vector<const Tensor*> before_parameters(std::initializer_list<const Tensor*> first,
                                             const ElementwiseFunction& f) {
  std::vector<const Tensor*> tensors(first);
  for (const Tensor& parameter : f.parameters) tensors.push_back(&parameter);
  return tensors;
}

void set_parameters(
    Gradients& gradients, const ElementwiseProblem& f, int input, int saved,
    const std::function<void(std::span<const Tensor>, std::span<Tensor>)>& compute) {
  std::vector<Tensor> parameters, results;
  bool is_needed = false;
  for (int i = 0; i < f.parameters; ++i) {
    parameters.push_back(gradients.saved(saved + i));
    is_needed = is_needed || gradients.needs(input + i);
  }
  if (is_needed)
    for (const Tensor& parameter : parameters) results.push_back(Tensor::empty_like(parameter));
  compute(parameters, results);
  const auto* formula = std::get_if<FormulaProblem>(&f.kind);
  for (size_t k = 0; is_needed && formula && k < formula->learns.size(); ++k)
    if (!formula->learns[k]) results[0][static_cast<int64_t>(k)].fill_(0);
  for (size_t i = 0; i < results.size(); ++i)
    gradients.set(input + static_cast<int>(i), results[i]);
}

}  // namespace pade
