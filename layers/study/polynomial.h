#pragma once

#include <array>
#include <complex>
#include <vector>

#include <pade/core/polynomial_basis.h>

namespace pade {

/// f_0(x) … f_8(x).
std::array<double, kMaxDegree + 1> evaluate_basis(Basis basis, double x);
/// f_k⁽ʳ⁾(x) / sᵏ⁻ʳ as [r][k], up to the second derivative. No power of x overflows with s = |x|.
using BasisDerivatives = std::array<std::array<double, kMaxDegree + 1>, 3>;
BasisDerivatives differentiate_basis(Basis basis, double x, double s = 1);

/// c_0 + c_1 x + c_2 x² + …, in float64. No coefficients are the polynomial 0.
struct Polynomial {
  std::vector<double> c;

  /// Of the highest coefficient that is not 0; −1 for the polynomial 0.
  int degree() const;
  double operator()(double x) const;
  Polynomial derivative() const;
};

Polynomial operator+(const Polynomial& a, const Polynomial& b);
Polynomial operator*(const Polynomial& a, const Polynomial& b);
Polynomial operator*(double factor, const Polynomial& a);

/// The polynomial Σ coefficients[k] f_k(x) of the basis, in powers of x. Throws Error above degree
/// kMaxDegree.
Polynomial monomial_coefficients(Basis basis, const std::vector<double>& coefficients);

/// α A′B − β A B′, of which the numerators of a quotient's derivatives are made:
///   (P/Q)′ = (P′Q − P Q′) / Q²,   (W/Q²)′ = (W′Q − 2 W Q′) / Q³.
/// Coefficient k is Σ_{i+j=k+1} (α i − β j) a_i b_j, so a leading term that cancels is exactly 0;
/// other coefficients that cancel down to rounding are set to 0 too.
Polynomial bracket(double alpha, const Polynomial& a, double beta, const Polynomial& b);

/// All roots, as often as they occur, sorted by real part and then by imaginary part. Complex ones
/// come in exactly conjugate pairs, and a real one has an imaginary part of exactly 0.
///
/// The eigenvalues of the companion matrix (balanced, by LAPACK's dgeev), each polished by Newton's
/// method. A simple root is exact to the rounding of the coefficients; of a k-fold root, which
/// rounding splits into k roots around it at a distance of about ε^{1/k}, those that cannot be told
/// from real ones are real. Leading coefficients that are 0, or so small that they only add a root
/// beyond 1e15 in magnitude, are left out, and that root with them.
///
/// A constant has no roots. Throws Error for the polynomial 0 and for coefficients that are not
/// finite.
std::vector<std::complex<double>> roots(const Polynomial& polynomial);

/// The real ones of roots(polynomial), sorted; none for the polynomial 0.
std::vector<double> real_roots(const Polynomial& polynomial);

}  // namespace pade
