#include <algorithm>
#include <cmath>
#include <utility>

#include <pade/layers/study/fit_problem.h>

namespace pade {
namespace {

constexpr int kSpreadStarts = 200;
/// They are fewer, as full_sum starts from the best whole_sum, too.
constexpr int kSpreadStartsOfFullSum = 40;

/// The index-th number of van der Corput's sequence: the base's digits of the index, mirrored.
double van_der_corput(int index, int base) {
  double value = 0, digit = 1;
  for (; index > 0; index /= base) value += (index % base) * (digit /= base);
  return value;
}

/// Denominators that are wide apart, and the numerators of least squares for them.
class Starts {
 public:
  explicit Starts(const FitProblem& problem) : problem_(problem), largest_(problem.n() + 1, 0) {
    for (int j = 1; j <= problem.n(); ++j)
      for (const BasisDerivatives& f : problem.basis())
        largest_[j] = std::max(largest_[j], std::abs(f[0][j]));
  }

  std::vector<std::vector<double>> found;

  /// Adds the start whose terms of degree j are share(j) · j of Q's constant term, which is 1 with
  /// d_0 = d_zero.
  template <class Share>
  void add(double d_zero, Share&& share) {
    std::vector<double> d;
    if (problem_.first() == 0) d.push_back(d_zero);
    for (int j = 1; j <= problem_.n(); ++j)
      d.push_back(largest_[j] > 0 ? share(j) * j / largest_[j] : 0);
    found.push_back(problem_.with_denominator(std::move(d)));
  }

 private:
  const FitProblem& problem_;
  std::vector<double> largest_;  // |f_j| at the points
};

/// A share of 0.01 to 30 and of either sign, for u in [0, 1).
double spread_share(double u) {
  const double share = std::pow(10, -2 + 3.5 * std::abs(2 * u - 1));
  return 2 * u - 1 < 0 ? -share : share;
}

}  // namespace

std::vector<std::vector<double>> fit_starts(const FitProblem& problem) {
  Starts starts(problem);
  const RationalForm form = problem.options().form;
  const double rest = 1 - denominator_constant(form);
  // Terms that are these shares of the constant term, all of them or the even ones.
  for (const double share : {0.0, 0.03, 0.3, 1.0, 3.0, 10.0})
    for (const bool even_only : {false, true}) {
      if (problem.n() == 0 && (share > 0 || even_only)) continue;
      starts.add(rest, [&](int j) { return even_only && j % 2 == 1 ? 0 : share; });
    }
  if (!takes_magnitude_of_sum(form) || problem.n() == 0) return starts.found;
  // |sum| has a kink wherever the sum changes its sign, and so there are many local minima: shares
  // as Halton's sequence spreads them.
  constexpr int kPrimes[kMaxDegree + 1] = {23, 2, 3, 5, 7, 11, 13, 17, 19};
  const int count = form == RationalForm::whole_sum ? kSpreadStarts : kSpreadStartsOfFullSum;
  for (int index = 1; index <= count; ++index)
    starts.add(spread_share(van_der_corput(index, kPrimes[0])),
               [&](int j) { return spread_share(van_der_corput(index, kPrimes[j])); });
  return starts.found;
}

}  // namespace pade
