#include <algorithm>
#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/derivatives.h>

namespace pade {
namespace {

constexpr double kFar = 0x1p64;  // x⁸ is far from overflow up to here

Derivatives derivatives_at(const RationalPoint& point) {
  return {point.value(), point.slope(), point.curvature()};
}

/// Evaluates P/sᵐ and Q/sⁿ with s = |x|; coefficients that are 0 at the end do not count for m and
/// n.
Derivatives far_derivatives(RationalFunction g, double constant, double x) {
  const int first = first_denominator(g.options.form);
  const int m = std::max(0, Polynomial{g.c}.degree());
  const int n = std::max(0, Polynomial{g.d}.degree() + first);
  const double s = std::abs(x);
  g.c.resize(m + 1);
  g.d.resize(n + 1 - first);
  for (int i = 0; i <= m; ++i) g.c[i] *= std::pow(s, i - m);
  for (int j = first; j <= n; ++j) g.d[j - first] *= std::pow(s, j - n);
  const BasisDerivatives basis = differentiate_basis(g.options.basis, x, s);
  const Derivatives at = derivatives_at({g, basis, 3, constant * std::pow(s, -n)});
  return {std::pow(s, m - n) * at.value, std::pow(s, m - n - 1) * at.slope,
          std::pow(s, m - n - 2) * at.curvature};
}

/// The derivatives of g with `constant` in the place of denominator_constant().
Derivatives evaluate(const RationalFunction& g, double constant, double x) {
  const int m = g.numerator_degree(), n = g.denominator_degree();
  check(m <= kMaxDegree && n <= kMaxDegree, "derivatives_of: degrees ", m, "/", n, " are above ",
        kMaxDegree, "/", kMaxDegree);
  check(std::isfinite(x), "derivatives_of: x is ", x, "; it must be finite");
  if (std::abs(x) > kFar) return far_derivatives(g, constant, x);
  const BasisDerivatives basis = differentiate_basis(g.options.basis, x);
  return derivatives_at({g, basis, 3, constant});
}

}  // namespace

RationalPoint::RationalPoint(const RationalFunction& g, const BasisDerivatives& basis, int orders,
                             double constant)
    : g_(g), basis_(basis) {
  const int first = first_denominator(g.options.form);
  const bool is_termwise = g.options.form == RationalForm::termwise;
  for (size_t k = 0; k < g.d.size(); ++k)
    sign_[k] = is_termwise && (g.d[k] < 0) != (basis[0][k + first] < 0) ? -1 : 1;
  for (int order = 0; order < orders; ++order) {
    const auto& f = basis[order];
    double p = 0, q = 0;
    for (size_t k = 0; k < g.c.size(); ++k) p += g.c[k] * f[k];
    for (size_t k = 0; k < g.d.size(); ++k) q += g.d[k] * sign_[k] * f[k + first];
    p_[order] = p;
    q_[order] = q;
  }
  if (takes_magnitude_of_sum(g.options.form) && q_[0] < 0) {
    is_flipped_ = true;
    for (double& sign : sign_) sign = -1;
    for (double& q : q_) q = -q;
  }
  q_[0] += constant;
  value_ = p_[0] / q_[0];
  if (orders > 1) slope_ = (p_[1] - value_ * q_[1]) / q_[0];
}

double RationalPoint::value_by(size_t k) const {
  if (k < g_.c.size()) return basis_[0][k] / q_[0];
  const size_t of_d = k - g_.c.size(), j = of_d + first_denominator(g_.options.form);
  return -sign_[of_d] * basis_[0][j] * value_ / q_[0];
}

double RationalPoint::slope_by(size_t k) const {
  const auto &f = basis_[0], &df = basis_[1];
  const double by = value_by(k);
  if (k < g_.c.size()) return (df[k] - by * q_[1]) / q_[0];
  const size_t of_d = k - g_.c.size(), j = of_d + first_denominator(g_.options.form);
  const double sign = sign_[of_d];
  return -(sign * df[j] * value_ + by * q_[1] + slope_ * sign * f[j]) / q_[0];
}

Derivatives derivatives_of(const RationalFunction& g, double x) {
  return evaluate(g, denominator_constant(g.options.form), x);
}

Derivatives derivatives_of(const Polynomial& p, const Polynomial& q, double x) {
  RationalFunction g{{Basis::monomial, RationalForm::unsafe}, p.c, q.c};
  if (q.c.empty()) return evaluate(g, 0, x);
  g.d.erase(g.d.begin());
  return evaluate(g, q.c[0], x);
}

}  // namespace pade
