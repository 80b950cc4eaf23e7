// G = P/Q, as core/rational_form.h has it. In long double, whose range holds the powers of any x.

#include <cmath>
#include <span>
#include <tuple>

#include <pade/core/kernels/reference/values.h>

namespace pade::reference {
namespace {

using Real = long double;

Real sign(Real x) { return x < 0 ? -1 : 1; }  // +1 at 0

/// G and its derivatives at one x. c[i] is c_i, and d[j − first] is d_j.
struct Point {
  Real g, slope, by_c[kMaxDegree + 1], by_d[kMaxDegree + 1];

  Point(const RationalProblem& problem, const double* c, const double* d, Real x) {
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
    for (int i = 0; i <= m; ++i) p += c[i] * f[i], dp += c[i] * df[i];
    for (int j = first; j <= n; ++j) {
      const Real dj = d[j - first];
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
    for (int j = first; j <= n; ++j) by_d[j] = -g * side * by_sum[j] / q;
  }
};

}  // namespace

void rational_forward(const RationalProblem& problem, const Tensor& x, const Tensor& numerator,
                      const Tensor& denominator, Tensor& y) {
  const Values in = values(x), c = values(numerator), d = values(denominator);
  Values results(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t group = static_cast<int64_t>(i) / problem.run % problem.groups;
    results[i] = static_cast<double>(
        Point(problem, &c[group * (problem.m + 1)], &d[group * problem.denominators()], in[i]).g);
  }
  store(results, y);
}

void rational_backward(const RationalProblem& problem, const Tensor& x,
                       std::span<const Tensor> parameters, const Tensor& dy, Tensor& dx,
                       std::span<Tensor> gradients) {
  const Values in = values(x), c = values(parameters[0]), d = values(parameters[1]),
               dys = values(dy);
  Values results(in.size()), dc(c.size(), 0), dd(d.size(), 0);
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t group = static_cast<int64_t>(i) / problem.run % problem.groups;
    const int64_t c0 = group * (problem.m + 1), d0 = group * problem.denominators();
    const Point point(problem, &c[c0], &d[d0], in[i]);
    results[i] = static_cast<double>(dys[i] * point.slope);
    for (int k = 0; k <= problem.m; ++k) dc[c0 + k] += dys[i] * point.by_c[k];
    for (int j = problem.first(); j <= problem.n; ++j)
      dd[d0 + j - problem.first()] += dys[i] * point.by_d[j];
  }
  store(results, dx);
  if (gradients.empty()) return;
  store(dc, gradients[0]);
  store(dd, gradients[1]);
}

}  // namespace pade::reference
