// Functions of one element: rational functions, and the formulas of core/kernels/math/formula.h.

#include <algorithm>
#include <cmath>
#include <span>
#include <variant>
#include <vector>

#include <pade/core/kernels/math/formula.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

using Real = long double;  // its range holds the powers of any x

/// A function at one x: its value, and its derivatives by x and by element k of parameter j.
struct Point {
  double value, slope, by[2][16];
};

Real sign(Real x) { return x < 0 ? -1 : 1; }  // +1 at 0

/// P/Q, as core/rational_form.h has it, with the coefficients c_0 … c_m and d_first … d_n.
Point rational_at(const RationalProblem& problem, const double* c, const double* d, Real x) {
  const int m = problem.m, first = problem.first(), denominators = problem.denominators();
  const RationalForm form = problem.options.form;
  const bool is_termwise = form == RationalForm::termwise;

  // The polynomials f_k and their slopes, by the recurrence of the basis.
  const Recurrence r = recurrence_of(problem.options.basis);
  Real f[kMaxDegree + 1]{1}, df[kMaxDegree + 1]{0};
  for (int k = 0; k < std::max(m, problem.n); ++k) {
    const Real factor = r.a[k] * x + r.b[k];
    f[k + 1] = factor * f[k] - (k > 0 ? r.c[k] * f[k - 1] : 0);
    df[k + 1] = r.a[k] * f[k] + factor * df[k] - (k > 0 ? r.c[k] * df[k - 1] : 0);
  }

  Real p = 0, dp = 0, sum = 0, dsum = 0, by_d[kMaxDegree + 1];  // ∂p/∂x, ∂sum/∂x and ∂sum/∂d_j
  for (int i = 0; i <= m; ++i) {
    p += c[i] * f[i];
    dp += c[i] * df[i];
  }
  for (int j = 0; j < denominators; ++j) {
    const Real d_j = d[j], f_j = f[first + j];
    by_d[j] = is_termwise ? sign(d_j) * std::fabs(f_j) : f_j;
    sum += d_j * by_d[j];
    dsum += d_j * df[first + j] * (is_termwise ? sign(d_j) * sign(f_j) : 1);
  }
  const Real side = takes_magnitude_of_sum(form) ? sign(sum) : 1;
  const Real q = denominator_constant(form) + side * sum, y = p / q;

  Point point;
  point.value = y;
  point.slope = (dp - y * side * dsum) / q;
  for (int i = 0; i <= m; ++i) point.by[0][i] = f[i] / q;
  for (int j = 0; j < denominators; ++j) point.by[1][j] = -y * side * by_d[j] / q;
  return point;
}

/// A formula at x, or, where it saves its value for the gradient, the slope from that.
Point formula_at(const FormulaProblem& formula, const double* constants, double saved) {
  Point point;
  formulas::with_formula(formula.index, [&]<class F>(F) {
    point.value = formulas::value_at<F>(saved, constants);
    if constexpr (formulas::kSavesValue<F>) {
      point.slope = F::slope_from_value(saved);
    } else {
      const auto y = formulas::all_slopes_at<F>(saved, constants);
      point.slope = y.slopes[0];
      for (int k = 1; k < formulas::kVariables<F>; ++k) point.by[0][k - 1] = y.slopes[k];
    }
  });
  return point;
}

/// Calls use(i, group, point) for every element, with the function of that group of channels.
void for_each_point(const ElementwiseProblem& f, std::span<const Tensor> parameters, In x,
                    const auto& use) {
  const std::vector<Array> of(parameters.begin(), parameters.end());
  for (int64_t i = 0; i < x.size(); ++i)
    if (const auto* rational = std::get_if<RationalProblem>(&f.kind)) {
      const int64_t group = i / rational->run % rational->groups;
      const double* c = of[0].data() + group * (rational->m + 1);
      const double* d = of[1].data() + group * rational->denominators();
      use(i, group, rational_at(*rational, c, d, x[i]));
    } else {
      const auto& formula = std::get<FormulaProblem>(f.kind);
      use(i, 0, formula_at(formula, of.empty() ? formula.constants.data() : of[0].data(), x[i]));
    }
}

}  // namespace

void add_elementwise(Kernels& kernels) {
  kernels.elementwise_forward = [](const ElementwiseProblem& f, std::span<const Tensor> parameters,
                                   In x, Out y) {
    for_each_point(f, parameters, x, [&](auto i, auto, const Point& at) { y[i] = at.value; });
  };

  kernels.elementwise_backward = [](const ElementwiseProblem& f, std::span<const Tensor> parameters,
                                    In saved, In dy, Out dx, std::span<Tensor> gradients) {
    std::vector<Out> by(gradients.begin(), gradients.end());
    for_each_point(f, parameters, saved, [&](auto i, auto group, const Point& at) {
      dx[i] = dy[i] * at.slope;
      for (size_t j = 0; j < by.size(); ++j) {
        const int64_t count = by[j].size() / f.groups();
        for (int64_t k = 0; k < count; ++k) by[j][group * count + k] += dy[i] * at.by[j][k];
      }
    });
  };
}

}  // namespace pade::reference
