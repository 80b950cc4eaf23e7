#pragma once

#include <vector>

namespace pade {

struct LinearMinimax {
  std::vector<double> x;
  double largest = 0;   ///< max |A x + r|
  bool solved = false;  ///< false if rounding stopped the search; then x and `largest` say nothing
};

/// The x with low <= x <= high of smallest max_k |A x + r|_k: a linear program, whose dual is
/// solved by the simplex method. `a` holds A's columns one after another, each as long as r. The
/// bounds are finite. It works best when A's entries and r are near 1. Throws Error for sizes that
/// differ, and for low > high.
LinearMinimax linear_minimax(const std::vector<double>& a, const std::vector<double>& r,
                             const std::vector<double>& low, const std::vector<double>& high);

}  // namespace pade
