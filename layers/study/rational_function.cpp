#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/rational_function.h>

namespace pade {
namespace {

struct Parts {
  double p = 0, q = 0, dp = 0, dq = 0;
};

Parts parts_of(const RationalFunction& g, double x) {
  const auto f = evaluate_basis(g.options.basis, x);
  const auto df = differentiate_basis(g.options.basis, x);
  Parts at;
  for (size_t i = 0; i < g.c.size(); ++i) {
    at.p += g.c[i] * f[i];
    at.dp += g.c[i] * df[i];
  }
  double sum = 0, dsum = 0;
  const int first = first_denominator(g.options.form);
  for (int j = first; j <= g.denominator_degree(); ++j) {
    double d = g.d[j - first];
    if (g.options.form == RationalForm::termwise) d = std::abs(d) * (f[j] < 0 ? -1 : 1);
    sum += d * f[j];
    dsum += d * df[j];
  }
  const bool flipped = takes_magnitude_of_sum(g.options.form) && sum < 0;
  at.q = denominator_constant(g.options.form) + (flipped ? -sum : sum);
  at.dq = flipped ? -dsum : dsum;
  return at;
}

}  // namespace

int RationalFunction::numerator_degree() const { return static_cast<int>(c.size()) - 1; }

int RationalFunction::denominator_degree() const {
  return static_cast<int>(d.size()) - 1 + first_denominator(options.form);
}

void RationalFunction::check_degrees(const std::string& who) const {
  const int m = numerator_degree(), n = denominator_degree();
  check(m >= 0 && n >= 0 && m <= kMaxDegree && n <= kMaxDegree, who, ": degrees ", m, "/", n,
        " are outside 0/0 to ", kMaxDegree, "/", kMaxDegree);
}

double RationalFunction::operator()(double x) const {
  const Parts at = parts_of(*this, x);
  return at.p / at.q;
}

double RationalFunction::slope(double x) const {
  const Parts at = parts_of(*this, x);
  return (at.dp - at.p / at.q * at.dq) / at.q;
}

double RationalFunction::denominator(double x) const { return parts_of(*this, x).q; }

}  // namespace pade
