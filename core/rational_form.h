#pragma once

#include <string_view>

#include <pade/core/polynomial_basis.h>

namespace pade {

/// How the denominator is kept away from zero. Equations of arXiv:2106.09693.
enum class RationalForm {
  termwise,   ///< Q = 1 + Σ |d_j| |f_j(x)|   eqs. 4 and 7: safe PAU, safe OPAU, HP-1, HP-2
  whole_sum,  ///< Q = 1 + |Σ d_j f_j(x)|     eq. 5
  full_sum,   ///< Q = 1/10 + |Σ d_j f_j(x)|, from d_0 on: ml-research's version C
  unsafe,     ///< Q = 1 + Σ d_j f_j(x)       eqs. 3 and 6; has poles, for study
};
const char* name_of(RationalForm form);
/// The form of that name. Throws Error that lists the names.
RationalForm rational_form_named(std::string_view name);
/// The j of the first d_j: 0 in full_sum, else 1. A denominator of degree n has d_first … d_n.
constexpr int first_denominator(RationalForm form) {
  return form == RationalForm::full_sum ? 0 : 1;
}
/// Whether Q has the magnitude of the whole sum.
constexpr bool takes_magnitude_of_sum(RationalForm form) {
  return form == RationalForm::whole_sum || form == RationalForm::full_sum;
}
/// What Q is where the sum is 0: 1/10 in full_sum, else 1.
constexpr double denominator_constant(RationalForm form) {
  return form == RationalForm::full_sum ? 0.1 : 1;
}

struct RationalOptions {
  Basis basis = Basis::hermite_he;
  RationalForm form = RationalForm::termwise;
};

}  // namespace pade
