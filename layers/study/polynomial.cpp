#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <pade/core/error.h>
#include <pade/layers/study/polynomial.h>

namespace pade {

std::array<double, kMaxDegree + 1> evaluate_basis(Basis basis, double x) {
  return differentiate_basis(basis, x)[0];
}

BasisDerivatives differentiate_basis(Basis basis, double x, double s) {
  Recurrence r = recurrence_of(basis);
  const double t = 1 / s, u = x * t;
  for (int k = 0; k < kMaxDegree; ++k) {
    r.b[k] *= t;
    r.c[k] *= t * t;
  }
  BasisDerivatives f{};
  f[0][0] = 1;
  for (int k = 0; k < kMaxDegree; ++k)
    f[0][k + 1] = (r.a[k] * u + r.b[k]) * f[0][k] - (k > 0 ? r.c[k] * f[0][k - 1] : 0);
  for (int order = 1; order < 3; ++order)
    for (int k = 0; k < kMaxDegree; ++k)
      f[order][k + 1] = order * r.a[k] * f[order - 1][k] + (r.a[k] * u + r.b[k]) * f[order][k] -
                        (k > 0 ? r.c[k] * f[order][k - 1] : 0);
  return f;
}

int Polynomial::degree() const {
  int k = static_cast<int>(c.size()) - 1;
  while (k >= 0 && c[k] == 0) --k;
  return k;
}

double Polynomial::operator()(double x) const {
  double value = 0;
  for (size_t k = c.size(); k-- > 0;) value = value * x + c[k];
  return value;
}

Polynomial Polynomial::derivative() const {
  Polynomial slope;
  for (size_t k = 1; k < c.size(); ++k) slope.c.push_back(static_cast<double>(k) * c[k]);
  return slope;
}

Polynomial operator+(const Polynomial& a, const Polynomial& b) {
  Polynomial sum = a;
  sum.c.resize(std::max(a.c.size(), b.c.size()));
  for (size_t k = 0; k < b.c.size(); ++k) sum.c[k] += b.c[k];
  return sum;
}

Polynomial operator*(const Polynomial& a, const Polynomial& b) {
  if (a.c.empty() || b.c.empty()) return {};
  Polynomial product{std::vector<double>(a.c.size() + b.c.size() - 1)};
  for (size_t i = 0; i < a.c.size(); ++i)
    for (size_t j = 0; j < b.c.size(); ++j) product.c[i + j] += a.c[i] * b.c[j];
  return product;
}

Polynomial operator*(double factor, const Polynomial& a) {
  Polynomial product = a;
  for (double& c : product.c) c *= factor;
  return product;
}

Polynomial monomial_coefficients(Basis basis, const std::vector<double>& coefficients) {
  check(coefficients.size() <= kMaxDegree + 1, "monomial_coefficients: ", coefficients.size(),
        " coefficients, but the highest degree is ", kMaxDegree);
  const Recurrence r = recurrence_of(basis);
  Polynomial sum, before, current{{1}};
  for (size_t k = 0; k < coefficients.size(); ++k) {
    if (k > 0) {
      Polynomial next = Polynomial{{r.b[k - 1], r.a[k - 1]}} * current + -r.c[k - 1] * before;
      before = std::move(current);
      current = std::move(next);
    }
    sum = sum + coefficients[k] * current;
  }
  return sum;
}

Polynomial bracket(double alpha, const Polynomial& a, double beta, const Polynomial& b) {
  constexpr double kRounding = 64 * std::numeric_limits<double>::epsilon();
  const int m = a.degree(), n = b.degree();
  if (m < 0 || n < 0 || m + n == 0) return {};
  std::vector<double> sum(m + n), magnitude(m + n);
  for (int i = 0; i <= m; ++i)
    for (int j = i == 0 ? 1 : 0; j <= n; ++j) {
      const double term = (alpha * i - beta * j) * a.c[i] * b.c[j];
      sum[i + j - 1] += term;
      magnitude[i + j - 1] += std::abs(term);
    }
  for (int k = 0; k < m + n; ++k)
    if (std::abs(sum[k]) <= kRounding * magnitude[k]) sum[k] = 0;
  return {std::move(sum)};
}

}  // namespace pade
