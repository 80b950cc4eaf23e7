#include <algorithm>
#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/derivatives.h>

namespace pade {
namespace {

/// F/sᵏ, F′/sᵏ⁻¹ and F″/sᵏ⁻² of a polynomial F of degree k, with s = max(1, |x|).
struct Scaled {
  double value = 0, slope = 0, curvature = 0;

  /// From degree k to k + 1, with t = 1/s: adds `factor` times a polynomial of that degree.
  void add(double t, double factor, const Scaled& f) {
    value = value * t + factor * f.value;
    slope = slope * t + factor * f.slope;
    curvature = curvature * t + factor * f.curvature;
  }
};

/// p and q are of degrees m and n with m − n = excess.
Derivatives quotient(const Scaled& p, const Scaled& q, double s, int excess) {
  const double value = p.value / q.value;
  const double slope = (p.slope - value * q.slope) / q.value;
  const double curvature = (p.curvature - 2 * slope * q.slope - value * q.curvature) / q.value;
  return {std::pow(s, excess) * value, std::pow(s, excess - 1) * slope,
          std::pow(s, excess - 2) * curvature};
}

/// Of coefficients from index `first` on, without the zeros at the end: the degree must be the true
/// one where powers of s are large.
int true_degree(const std::vector<double>& c, int first) {
  size_t size = c.size();
  while (size > 0 && c[size - 1] == 0) --size;
  return std::max(0, first + static_cast<int>(size) - 1);
}

double scale_of(double x) {
  check(std::isfinite(x), "derivatives_of: x is ", x, "; it must be finite");
  return std::max(1.0, std::abs(x));
}

/// Horner's rule in t from the lowest coefficient: x/s is ±1 where t is below 1.
Scaled evaluate(const Polynomial& f, double x, double s) {
  Scaled sum, power{1, 0, 0};
  const double t = 1 / s, u = x * t;
  for (int k = 0; k <= f.degree(); ++k) {
    if (k > 0)
      power = {u * power.value, power.value + u * power.slope,
               2 * power.slope + u * power.curvature};
    sum.add(t, f.c[k], power);
  }
  return sum;
}

}  // namespace

Derivatives derivatives_of(const RationalFunction& g, double x) {
  const int first = first_denominator(g.options.form);
  const int m = true_degree(g.c, 0), n = true_degree(g.d, first);
  check(m <= kMaxDegree && n <= kMaxDegree, "derivatives_of: degrees ", m, "/", n, " are above ",
        kMaxDegree, "/", kMaxDegree);
  const double s = scale_of(x), t = 1 / s, u = x * t;
  const MonicRecurrence monic = monic_recurrence_of(g.options.basis);
  Scaled p, q, f_before{0, 0, 0}, f{1, 0, 0};  // f of e_k: f_k without its leading coefficient
  if (!g.c.empty()) p.value = g.c[0];
  if (first == 0 && !g.d.empty()) q.value = g.d[0];
  for (int k = 1; k <= std::max(m, n); ++k) {
    const double factor = monic.sign * u + monic.shift[k - 1] * t;
    const double drop = monic.drop[k - 1] * t * t;
    const Scaled next{factor * f.value - drop * f_before.value,
                      monic.sign * f.value + factor * f.slope - drop * f_before.slope,
                      2 * monic.sign * f.slope + factor * f.curvature - drop * f_before.curvature};
    f_before = f;
    f = next;
    if (k <= m) p.add(t, g.c[k] * monic.scale[k], f);
    if (k <= n) {
      double d = g.d[k - first] * monic.scale[k];
      if (g.options.form == RationalForm::termwise) d = f.value < 0 ? -std::abs(d) : std::abs(d);
      q.add(t, d, f);
    }
  }
  if (takes_magnitude_of_sum(g.options.form) && q.value < 0) q = {-q.value, -q.slope, -q.curvature};
  q.value += denominator_constant(g.options.form) * std::pow(t, n);
  return quotient(p, q, s, m - n);
}

Derivatives derivatives_of(const Polynomial& p, const Polynomial& q, double x) {
  const double s = scale_of(x);
  return quotient(evaluate(p, x, s), evaluate(q, x, s), s,
                  std::max(0, p.degree()) - std::max(0, q.degree()));
}

}  // namespace pade
