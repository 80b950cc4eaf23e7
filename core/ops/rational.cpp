#include <array>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/parameters.h>
#include <pade/core/ops/rational.h>

namespace pade {
namespace {

constexpr std::array kAllForms = {RationalForm::termwise, RationalForm::whole_sum,
                                  RationalForm::full_sum, RationalForm::unsafe};

void check_coefficients(const char* what, const Tensor& x, const Tensor& coefficients) {
  check_same_kind("rational", {"x", x}, {what, coefficients});
  check(coefficients.rank() == 1 || coefficients.rank() == 2, "rational: expected a ", what,
        " of shape [coefficients] or [groups, coefficients], got ", coefficients.shape());
}

int64_t groups_of(const Tensor& coefficients) {
  return coefficients.rank() == 2 ? coefficients.extent(0) : 1;
}

}  // namespace

const char* name_of(RationalForm form) {
  switch (form) {
    case RationalForm::termwise: return "termwise";
    case RationalForm::whole_sum: return "whole_sum";
    case RationalForm::full_sum: return "full_sum";
    case RationalForm::unsafe: return "unsafe";
  }
  return "unknown";
}

RationalForm rational_form_named(std::string_view name) {
  return value_named("form", name, kAllForms);
}

RationalProblem rational_problem(const Tensor& x, const Tensor& numerator,
                                 const Tensor& denominator, RationalOptions options) {
  check_floating("rational", {"x", x});
  check_coefficients("numerator", x, numerator);
  check_coefficients("denominator", x, denominator);
  const int first = first_denominator(options.form);
  const int64_t m = numerator.extent(-1) - 1, n = denominator.extent(-1) - 1 + first;
  check(m >= 0, "rational: the numerator has no coefficients");
  check(n >= 0, "rational: the denominator has no coefficients; ", name_of(options.form),
        " needs d_0 at least");
  check(m <= kMaxDegree && n <= kMaxDegree, "rational: degrees ", m, "/", n,
        " are above the limit of ", kMaxDegree, "/", kMaxDegree);
  RationalProblem problem{
      options, 1, groups_of(numerator), x.size(), static_cast<int>(m), static_cast<int>(n)};
  check(groups_of(denominator) == problem.groups, "rational: numerator ", numerator.shape(),
        " and denominator ", denominator.shape(), " have different numbers of groups");
  if (problem.groups == 1) return problem;
  check(x.rank() >= 2 && problem.groups >= 1 && x.extent(1) % problem.groups == 0,
        "rational: the channels (axis 1) of ", x.shape(), " cannot be cut into ", problem.groups,
        " equal groups");
  problem.outer = x.extent(0);
  problem.run = x.shape().size_from(1) / problem.groups;
  return problem;
}

/// apply(), in core/ops/elementwise.cpp, calls the kernel and records.
Tensor rational(const Tensor& x, const Tensor& numerator, const Tensor& denominator,
                RationalOptions options) {
  return apply({numerator, denominator, options}, x);
}

}  // namespace pade
