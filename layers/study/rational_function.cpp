#include <pade/core/error.h>
#include <pade/layers/study/derivatives.h>
#include <pade/layers/study/rational_function.h>

namespace pade {

int RationalFunction::numerator_degree() const { return static_cast<int>(c.size()) - 1; }

int RationalFunction::denominator_degree() const {
  return static_cast<int>(d.size()) - 1 + first_denominator(options.form);
}

void RationalFunction::check_degrees(const std::string& who) const {
  const int m = numerator_degree(), n = denominator_degree();
  check(m >= 0 && n >= 0 && m <= kMaxDegree && n <= kMaxDegree, who, ": degrees ", m, "/", n,
        " are outside 0/0 to ", kMaxDegree, "/", kMaxDegree);
}

double RationalFunction::operator()(double x) const { return derivatives_of(*this, x).value; }
double RationalFunction::slope(double x) const { return derivatives_of(*this, x).slope; }
double RationalFunction::denominator(double x) const {
  return RationalPoint(*this, differentiate_basis(options.basis, x)).denominator();
}

}  // namespace pade
