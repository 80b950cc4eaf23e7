#pragma once

#include <vector>

namespace pade {

/// The x of smallest |A x − b|, by LAPACK's QR factorisation. `a` holds A's columns one after
/// another, each as long as b. Throws Error when A has fewer rows than columns or not full rank.
std::vector<double> least_squares(std::vector<double> a, std::vector<double> b, int columns);

/// A least-squares problem with as many equations as unknowns: |A x − b|² = |R x − u|² + a
/// constant.
struct TriangularSystem {
  std::vector<double> r;  ///< its columns one after another; zero below the diagonal
  std::vector<double> u;
};
/// The triangular system of A and b, given as to least_squares(). A may be of any rank.
TriangularSystem triangular_system(std::vector<double> a, const std::vector<double>& b,
                                   int columns);

}  // namespace pade
