#include <algorithm>
#include <cmath>
#include <limits>

#include <pade/core/error.h>
#include <pade/layers/study/rational_regions.h>

namespace pade {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The polynomials that are added to Q's constant, there as magnitudes but in the unsafe form: each
/// d_j f_j with d_j ≠ 0, or their sum, or none.
std::vector<Polynomial> magnitudes_in(const RationalFunction& g) {
  std::vector<Polynomial> terms;
  Polynomial sum;
  const int first = first_denominator(g.options.form);
  for (int j = first; j <= g.denominator_degree(); ++j) {
    if (g.d[j - first] == 0) continue;
    std::vector<double> one_term(j + 1);
    one_term[j] = g.d[j - first];
    terms.push_back(monomial_coefficients(g.options.basis, one_term));
    sum = sum + terms.back();
  }
  if (g.options.form == RationalForm::termwise) return terms;
  return sum.degree() < 0 ? std::vector<Polynomial>{} : std::vector{sum};
}

double inside(double low, double high) {
  if (low == -kInfinity) return high == kInfinity ? 0 : high - 1 - std::abs(high);
  return high == kInfinity ? low + 1 + std::abs(low) : low + (high - low) / 2;
}

double distance(std::complex<double> pole, double low, double high) {
  return std::abs(pole - std::clamp(pole.real(), low, high));
}

std::vector<std::complex<double>> roots_belonging_to(double low, double high,
                                                     std::vector<std::complex<double>> all) {
  std::erase_if(all, [&](const auto& root) {
    return root.imag() == 0 && !(root.real() >= low && root.real() < high);
  });
  return all;
}

/// The regions without their roots.
std::vector<RationalRegion> cut(const RationalFunction& g) {
  check(g.numerator_degree() <= kMaxDegree && g.denominator_degree() <= kMaxDegree,
        "regions_of: ", g.c.size(), " and ", g.d.size(), " coefficients; the highest degrees are ",
        kMaxDegree, "/", kMaxDegree);
  for (const auto* coefficients : {&g.c, &g.d})
    for (const double c : *coefficients)
      check(std::isfinite(c), "regions_of: a coefficient is ", c, "; they must be finite");
  const std::vector<Polynomial> terms = magnitudes_in(g);
  const bool takes_magnitudes = g.options.form != RationalForm::unsafe;
  std::vector<double> ends;
  if (takes_magnitudes)
    for (const Polynomial& term : terms)
      for (const double x : real_roots(term)) ends.push_back(x);
  std::sort(ends.begin(), ends.end());
  ends.push_back(kInfinity);

  const Polynomial p = monomial_coefficients(g.options.basis, g.c);
  std::vector<RationalRegion> regions;
  std::vector<bool> signs_before;
  double low = -kInfinity;
  for (const double high : ends) {
    // The same zero of two terms, computed twice, differs by rounding.
    if (std::isfinite(high) && high - low <= 1e-12 * std::max(1.0, std::abs(high))) continue;
    std::vector<bool> signs;
    Polynomial q{{denominator_constant(g.options.form)}};
    for (const Polynomial& term : terms) {
      signs.push_back(takes_magnitudes && term(inside(low, high)) < 0);
      q = q + (signs.back() ? -1.0 : 1.0) * term;
    }
    if (!regions.empty() && signs == signs_before)
      regions.back().high = high;  // a zero at which nothing changes its sign
    else
      regions.push_back({low, high, p, q, {}, {}, kInfinity});
    signs_before = signs;
    low = high;
  }
  return regions;
}

/// What p/q approaches where x has the given sign, by its leading term c xᵏ.
Asymptote asymptote(const RationalRegion& region, double sign) {
  const int m = region.p.degree(), n = region.q.degree(), k = m - n;
  if (m < 0 || k < 0) return {0, 0};
  const double factor = region.p.c[m] / region.q.c[n];
  if (k == 0) return {factor, 0};
  const double growth = k % 2 ? factor * sign : factor;
  return {std::copysign(kInfinity, growth),
          k == 1 ? factor : std::copysign(kInfinity, growth * sign)};
}

}  // namespace

std::vector<RationalRegion> regions_of(const RationalFunction& g) {
  std::vector<RationalRegion> regions = cut(g);
  const Polynomial& p = regions.front().p;
  const auto zeros = p.degree() > 0 ? roots(p) : std::vector<std::complex<double>>{};
  for (RationalRegion& region : regions) {
    check(region.q.degree() >= 0, "regions_of: the denominator is 0 everywhere");
    const auto poles = roots(region.q);
    for (const auto& pole : poles)
      region.pole_distance =
          std::min(region.pole_distance, distance(pole, region.low, region.high));
    region.zeros = roots_belonging_to(region.low, region.high, zeros);
    region.poles = roots_belonging_to(region.low, region.high, poles);
  }
  return regions;
}

std::vector<double> kinks_of(const RationalFunction& g) {
  std::vector<double> kinks;
  for (const RationalRegion& region : cut(g))
    if (std::isfinite(region.high)) kinks.push_back(region.high);
  return kinks;
}

std::vector<double> real_poles(const RationalFunction& g, double low, double high) {
  std::vector<double> found;
  for (const RationalRegion& region : regions_of(g))
    for (const std::complex<double>& pole : region.poles)
      if (pole.imag() == 0 && pole.real() >= low && pole.real() <= high)
        found.push_back(pole.real());
  std::sort(found.begin(), found.end());
  return found;
}

Asymptote asymptote_left(const RationalFunction& g) { return asymptote(cut(g).front(), -1); }
Asymptote asymptote_right(const RationalFunction& g) { return asymptote(cut(g).back(), 1); }

}  // namespace pade
