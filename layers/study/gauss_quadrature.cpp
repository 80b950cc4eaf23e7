#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/gauss_quadrature.h>

// LAPACK, which OpenBLAS contains.
extern "C" void dstev_(const char* jobz, const int* n, double* d, double* e, double* z,
                       const int* ldz, double* work, int* info);

namespace pade {
namespace {

/// The rule of the orthogonal polynomials with p_{k+1} = x p_k − b_k² p_{k−1}, whose weight is even
/// and has the integral `total`.
template <class OffDiagonal>
Quadrature golub_welsch(int points, double total, OffDiagonal b) {
  check(points >= 1, "a quadrature of ", points, " points; at least 1 is needed");
  const int n = points;
  std::vector<double> diagonal(n), off_diagonal(n), vectors(n * n), work(2 * n);
  for (int k = 1; k < n; ++k) off_diagonal[k - 1] = b(k);
  int info = 0;
  dstev_("V", &n, diagonal.data(), off_diagonal.data(), vectors.data(), &n, work.data(), &info);
  check(info == 0, "the eigenvalues of a quadrature of ", points, " points did not converge");
  Quadrature rule{std::vector<double>(n), std::vector<double>(n)};
  for (int k = 0; k < n; ++k) {  // symmetric, as the weight is
    const int mirror = n - 1 - k;
    const double left = vectors[k * n], right = vectors[mirror * n];
    rule.nodes[k] = (diagonal[k] - diagonal[mirror]) / 2;
    rule.weights[k] = total * (left * left + right * right) / 2;
  }
  return rule;
}

}  // namespace

Quadrature gauss_legendre(int points) {
  return golub_welsch(points, 2, [](double k) { return k / std::sqrt(4 * k * k - 1); });
}

Quadrature gauss_hermite(int points) {
  return golub_welsch(points, 1, [](double k) { return std::sqrt(k); });
}

}  // namespace pade
