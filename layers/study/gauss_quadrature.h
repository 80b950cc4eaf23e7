#pragma once

#include <vector>

namespace pade {

/// Σ weights[k] f(nodes[k]) stands for an integral of f.
struct Quadrature {
  std::vector<double> nodes, weights;
};

/// The rule of `points` nodes on [−1, 1], exact for polynomials of degree 2·points − 1. Nodes and
/// weights are eigenvalues and eigenvectors of the Jacobi matrix (Golub and Welsch 1969), by
/// LAPACK's dstev. Throws Error for fewer than one point.
Quadrature gauss_legendre(int points);

/// The same for the mean of f(Z), Z ~ N(0, 1).
Quadrature gauss_hermite(int points);

}  // namespace pade
