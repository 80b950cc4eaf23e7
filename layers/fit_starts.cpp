#include <algorithm>
#include <cmath>

#include <pade/layers/fit_starts.h>

namespace pade {
namespace {

constexpr int kSpreadStarts = 200;

/// The index-th number of van der Corput's sequence: the base's digits of the index, mirrored.
double van_der_corput(int index, int base) {
  double value = 0, digit = 1;
  for (; index > 0; index /= base) value += (index % base) * (digit /= base);
  return value;
}

}  // namespace

std::vector<std::vector<double>> fit_starts(const FitProblem& problem) {
  std::vector<double> largest(problem.n(), 0);
  for (int j = 1; j <= problem.n(); ++j)
    for (size_t k = 0; k < problem.points().x.size(); ++k)
      largest[j - 1] = std::max(largest[j - 1], std::abs(problem.denominator_term(k, j)));
  std::vector<std::vector<double>> found;
  // Terms that are these shares of the constant term, all of them or the even ones.
  for (const double share : {0.0, 0.03, 0.3, 1.0, 3.0, 10.0})
    for (const bool even_only : {false, true}) {
      if (problem.n() == 0 && (share > 0 || even_only)) continue;
      std::vector<double> d(problem.n(), 0);
      for (int j = even_only ? 2 : 1; j <= problem.n(); j += even_only ? 2 : 1)
        d[j - 1] = largest[j - 1] > 0 ? share * j / largest[j - 1] : 0;
      found.push_back(problem.with_denominator(d));
    }
  if (problem.options().form != RationalForm::whole_sum) return found;
  // |sum| has a kink wherever the sum changes its sign, and so there are many local minima: shares
  // of 0.01 to 30 and of either sign, as Halton's sequence spreads them.
  constexpr int kPrimes[kMaxDegree] = {2, 3, 5, 7, 11, 13, 17, 19};
  for (int index = 1; index <= kSpreadStarts && problem.n() > 0; ++index) {
    std::vector<double> d(problem.n(), 0);
    for (int j = 1; j <= problem.n(); ++j) {
      const double u = 2 * van_der_corput(index, kPrimes[j - 1]) - 1;
      const double share = std::pow(10, -2 + 3.5 * std::abs(u));
      d[j - 1] = largest[j - 1] > 0 ? (u < 0 ? -share : share) * j / largest[j - 1] : 0;
    }
    found.push_back(problem.with_denominator(d));
  }
  return found;
}

}  // namespace pade
