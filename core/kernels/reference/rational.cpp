// G = P/Q, as core/rational_form.h has it. In long double, whose range holds the powers of any x.

#include <cmath>
#include <span>
#include <tuple>

#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

using Real = long double;

Real sign(Real x) { return x < 0 ? -1 : 1; }  // +1 at 0

/// G and its derivatives at one x. c[c0 + i] is c_i, and d[d0 + j − first] is d_j.
struct Point {
  Real g, slope, by_c[kMaxDegree + 1], by_d[kMaxDegree + 1];

  Point(const RationalProblem& problem, const Array& c, int64_t c0, const Array& d, int64_t d0,
        Real x) {
    const auto [m, n, first] = std::tuple(problem.m, problem.n, problem.first());
    const RationalForm form = problem.options.form;

    // The polynomials f_k and their slopes, by the recurrence of the basis.
    const Recurrence r = recurrence_of(problem.options.basis);
    Real f[kMaxDegree + 1]{1}, df[kMaxDegree + 1]{0};
    for (int k = 0; k < kMaxDegree; ++k) {
      const Real factor = r.a[k] * x + r.b[k];
      f[k + 1] = factor * f[k] - (k > 0 ? r.c[k] * f[k - 1] : 0);
      df[k + 1] = r.a[k] * f[k] + factor * df[k] - (k > 0 ? r.c[k] * df[k - 1] : 0);
    }

    Real p = 0, dp = 0, sum = 0, dsum = 0, by_sum[kMaxDegree + 1];  // ∂sum/∂d_j
    for (int i = 0; i <= m; ++i) {
      p += c[c0 + i] * f[i];
      dp += c[c0 + i] * df[i];
    }
    for (int j = first; j <= n; ++j) {
      const Real dj = d[d0 + j - first];
      const bool termwise = form == RationalForm::termwise;
      by_sum[j] = termwise ? sign(dj) * std::fabs(f[j]) : f[j];
      sum += dj * by_sum[j];
      dsum += termwise ? std::fabs(dj) * sign(f[j]) * df[j] : dj * df[j];
    }

    const Real side = takes_magnitude_of_sum(form) ? sign(sum) : 1;
    const Real q = denominator_constant(form) + side * sum, dq = side * dsum;
    g = p / q;
    slope = (dp - g * dq) / q;
    for (int i = 0; i <= m; ++i) by_c[i] = f[i] / q;
    for (int j = first; j <= n; ++j) by_d[j - first] = -g * side * by_sum[j] / q;
  }
};

/// Calls f(i, c0, d0, point) for every element x[i]: where its group's coefficients begin, and G.
template <class F>
void for_each_point(const RationalProblem& problem, std::span<const Tensor> parameters,
                    const Array& x, F&& f) {
  const Array c(parameters[0]), d(parameters[1]);
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t group = i / problem.run % problem.groups;
    const int64_t c0 = group * (problem.m + 1), d0 = group * problem.denominators();
    f(i, c0, d0, Point(problem, c, c0, d, d0, x[i]));
  }
}

}  // namespace

void rational_forward(const RationalProblem& problem, std::span<const Tensor> parameters,
                      const Array& x, Result& y) {
  for_each_point(problem, parameters, x, [&](int64_t i, int64_t, int64_t, const Point& at) {
    y[i] = static_cast<double>(at.g);
  });
}

void rational_backward(const RationalProblem& problem, std::span<const Tensor> parameters,
                       const Array& x, const Array& dy, Result& dx, std::span<Tensor> gradients) {
  Tensor unused;
  Result dc(gradients.empty() ? unused : gradients[0]);
  Result dd(gradients.empty() ? unused : gradients[1]);
  for_each_point(problem, parameters, x, [&](int64_t i, int64_t c0, int64_t d0, const Point& at) {
    dx[i] = static_cast<double>(dy[i] * at.slope);
    if (gradients.empty()) return;
    for (int k = 0; k <= problem.m; ++k) dc[c0 + k] += dy[i] * at.by_c[k];
    for (int j = 0; j < problem.denominators(); ++j) dd[d0 + j] += dy[i] * at.by_d[j];
  });
}

}  // namespace pade::reference
