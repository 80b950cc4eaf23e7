#pragma once

#include <vector>

namespace pade {

/// The x of smallest |A x − b|, by LAPACK's QR factorisation. `a` holds A's columns one after
/// another, each as long as b. Throws Error when A has fewer rows than columns or not full rank.
std::vector<double> least_squares(std::vector<double> a, std::vector<double> b, int columns);

}  // namespace pade
