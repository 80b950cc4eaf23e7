#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include <pade/core/error.h>
#include <pade/layers/study/polynomial.h>

// LAPACK, which OpenBLAS contains. dgeev balances the matrix first.
extern "C" void dgeev_(const char* jobvl, const char* jobvr, const int* n, double* a,
                       const int* lda, double* wr, double* wi, double* vl, const int* ldvl,
                       double* vr, const int* ldvr, double* work, const int* lwork, int* info);

namespace pade {
namespace {

// The numbers in which a computed root is polished: they have more digits than the coefficients,
// and a range in which powers of a root do not overflow.
using Real = long double;
using Complex = std::complex<Real>;
using Roots = std::vector<std::complex<double>>;

constexpr double kFarthestRoot = 1e15;

/// p and p′ at one x by Horner's rule, and Σ |c_k| |x|ᵏ, of which rounding is a share.
template <class T>
struct Evaluation {
  T value = 0, slope = 0;
  Real magnitude = 0;

  Evaluation(const std::vector<double>& c, T x) {
    for (size_t k = c.size(); k-- > 0;) {
      slope = slope * x + value;
      value = value * x + static_cast<Real>(c[k]);
      magnitude = magnitude * std::abs(x) + std::abs(static_cast<Real>(c[k]));
    }
  }
};

/// Whether the largest root's magnitude R is above kFarthestRoot, by |c_{n−k}/c_n| ≤ C(n,k) Rᵏ.
bool reaches_too_far(const std::vector<double>& c) {
  const size_t n = c.size() - 1;
  double log_binomial = 0;
  for (size_t k = 1; k <= n; ++k) {
    log_binomial += std::log(static_cast<double>(n - k + 1) / static_cast<double>(k));
    if (c[n - k] == 0) continue;
    const double log_ratio = std::log(std::abs(c[n - k])) - std::log(std::abs(c[n]));
    if (log_ratio - log_binomial > static_cast<double>(k) * std::log(kFarthestRoot)) return true;
  }
  return false;
}

/// The eigenvalues of the companion matrix, for c_0 and c_n that are not 0. x is measured in a
/// power of two near the geometric mean of the roots' magnitudes.
Roots eigenvalues(const std::vector<double>& c) {
  const int n = static_cast<int>(c.size()) - 1;
  const int unit =
      static_cast<int>(std::lround((std::log2(std::abs(c[0])) - std::log2(std::abs(c[n]))) / n));
  std::vector<double> a(n * n), real(n), imaginary(n), work(8 * n);
  for (int k = 0; k < n; ++k) {
    const Real monic = std::ldexp(static_cast<Real>(c[k]) / c[n], unit * (k - n));
    a[(n - 1 - k) * n] = static_cast<double>(-monic);
    if (k > 0) a[(k - 1) * n + k] = 1;
  }
  for (const double entry : a)
    check(std::isfinite(entry), "roots: the coefficients' magnitudes are too different");
  const int one = 1, work_size = 8 * n;
  int info = 0;
  dgeev_("N", "N", &n, a.data(), &n, real.data(), imaginary.data(), nullptr, &one, nullptr, &one,
         work.data(), &work_size, &info);
  check(info == 0, "roots: the QR algorithm did not converge");
  Roots found;
  for (int k = 0; k < n; ++k)
    found.emplace_back(std::ldexp(real[k], unit), std::ldexp(imaginary[k], unit));
  return found;
}

/// Newton's method while |p| falls, and the steps cannot reach another root.
template <class T>
T polish(const std::vector<double>& c, T x, Real to_nearest) {
  Evaluation<T> at(c, x);
  for (int iteration = 0; iteration < 8; ++iteration) {
    if (at.slope == T(0)) break;
    const T step = at.value / at.slope;
    if (!(std::abs(step) <= to_nearest / 4)) break;
    const Evaluation<T> next(c, x - step);
    if (!(std::abs(next.value) < std::abs(at.value))) break;
    x -= step;
    at = next;
  }
  return x;
}

/// Whether the pair x ± iy may be two real roots that rounding has driven apart: p vanishes to
/// rounding at x, or a Newton step from it. Then `x` is that place.
bool is_real_pair(const std::vector<double>& c, Real& x, Real y) {
  if (std::abs(y) > 1e-3L * std::abs(x)) return false;
  const Real rounding =
      4 * static_cast<Real>(c.size() - 1) * std::numeric_limits<double>::epsilon();
  const Evaluation<Real> at(c, x);
  if (at.slope != 0 && std::abs(at.value) <= std::abs(at.slope * y)) {
    const Real stepped = x - at.value / at.slope;
    const Evaluation<Real> there(c, stepped);
    if (std::abs(there.value) <= rounding * there.magnitude) {
      x = stepped;
      return true;
    }
  }
  return std::abs(at.value) <= rounding * at.magnitude;
}

}  // namespace

Roots roots(const Polynomial& polynomial) {
  for (const double c : polynomial.c)
    check(std::isfinite(c), "roots: a coefficient is ", c, "; they must be finite");
  const int degree = polynomial.degree();
  check(degree >= 0, "roots: every number is a root of the polynomial 0");
  auto first = polynomial.c.begin();
  Roots result;
  for (; *first == 0; ++first) result.emplace_back(0, 0);
  const std::vector<double> c(first, polynomial.c.begin() + degree + 1);
  std::vector<double> near = c;
  while (near.size() > 1 && (near.back() == 0 || reaches_too_far(near))) near.pop_back();
  if (near.size() > 1) {
    const Roots start = eigenvalues(near);
    for (size_t k = 0; k < start.size(); ++k) {
      if (start[k].imag() < 0) continue;  // its conjugate brings it
      Real to_nearest = std::numeric_limits<Real>::infinity();
      for (size_t other = 0; other < start.size(); ++other)
        if (other != k) to_nearest = std::min<Real>(to_nearest, std::abs(start[k] - start[other]));
      Real x = start[k].real(), y = start[k].imag();
      const bool pair = y != 0;
      if (pair) {
        const Complex z = polish(c, Complex(x, y), to_nearest);
        x = z.real(), y = std::abs(z.imag());
        if (is_real_pair(c, x, y)) y = 0;
      } else {
        x = polish(c, x, to_nearest);
      }
      result.emplace_back(static_cast<double>(x), static_cast<double>(y));
      if (pair) result.push_back(std::conj(result.back()));
    }
  }
  for (auto& root : result)
    if (root.imag() == 0) root = {root.real() + 0.0, 0.0};  // no −0
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return a.real() != b.real() ? a.real() < b.real() : a.imag() < b.imag();
  });
  return result;
}

std::vector<double> real_roots(const Polynomial& polynomial) {
  std::vector<double> result;
  if (polynomial.degree() < 1) return result;
  for (const auto& root : roots(polynomial))
    if (root.imag() == 0) result.push_back(root.real());
  return result;
}

}  // namespace pade
