#pragma once

#include <bit>
#include <functional>
#include <limits>
#include <vector>

#include "lab/nearest_formula.h"

namespace pade::lab {

inline constexpr double kRounding = 1e-12;  ///< of the values of g

/// Which of the parameters are free, as a set of bits.
enum Free : unsigned { kA = 1, kB = 2, kC = 4, kD = 8, kAll = 15 };

inline int size_of(unsigned free) { return std::popcount(free); }

/// What a formula is compared with: weights that sum to 1, and the values of g.
struct SearchProblem {
  std::vector<double> x, weight, y;
  double centre = 0, scale = 0;  ///< mean and standard deviation of x
  double spread = 0, size = 0;   ///< standard deviation of y, and the root of its mean square

  SearchProblem(const std::function<double(double)>& g, const std::vector<WeightedInput>& inputs);
  /// The mean of (a f + d − y)².
  double cost(const double* f, double a, double d) const;
};

/// A formula with its parameters, and how far from the problem it is.
struct Candidate {
  ScaledFormula function;
  double cost = std::numeric_limits<double>::infinity();
};

/// The place of one formula that is nearest to the problem, with these parameters free: by a grid
/// of b and c, and from its best points by descend_squares().
Candidate search_formula(const SearchProblem& problem, const Formula& formula, unsigned free);

}  // namespace pade::lab
