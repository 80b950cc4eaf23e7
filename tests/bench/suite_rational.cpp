// The rational activation: every basis and form, three degrees, short and long runs.
#include <algorithm>
#include <utility>

#include <pade/core/ops/rational.h>

#include "suite.h"

namespace pade::bench {
namespace {

struct Degrees {
  int m, n;
};

/// Of one element, in float32 arithmetic that no method can do without: P and Q by Horner's rule in
/// monomials, by a product and a sum more per degree in other bases, and a division. Backwards the
/// same again, for y is not saved, and in the same way P′ and Q′, then a product and a sum for the
/// gradient of each coefficient.
double flops_of_element(Degrees degrees, Basis basis, Pass pass) {
  const int coefficients = degrees.m + degrees.n;
  const int recurrence = basis == Basis::monomial ? 0 : 2 * std::max(degrees.m, degrees.n);
  const int evaluation = 2 * coefficients + recurrence;
  const int forward = evaluation + 1;
  return pass == Pass::forward ? forward : 2 * forward + evaluation + 2 * (coefficients + 1);
}

Cost cost_of(int64_t n, Degrees degrees, Basis basis, Pass pass) {
  const int numbers = pass == Pass::forward ? 2 : 5;  // x, y; then x, dy, dx
  return {static_cast<double>(n) * flops_of_element(degrees, basis, pass), numbers * floats(n)};
}

/// count numbers of either sign that fall off with the square of their index.
Tensor coefficients(const Shape& shape, float first) {
  const int64_t count = shape[-1];
  std::vector<float> values(static_cast<size_t>(shape.size()));
  for (int64_t i = 0; i < shape.size(); ++i) {
    const auto k = static_cast<float>(i % count + 1);
    values[static_cast<size_t>(i)] = (i % 2 == 0 ? first : -first) / (k * k);
  }
  return Tensor::from(values, shape).requires_grad_();
}

Function rational_of(const Tensor& x, Degrees degrees, RationalOptions options, int64_t groups) {
  const Tensor numerator = coefficients({groups, degrees.m + 1}, 1);
  const Tensor denominator =
      coefficients({groups, degrees.n + 1 - first_denominator(options.form)}, .1F);
  return [=] { return rational(x, numerator, denominator, options); };
}

constexpr RationalForm kForms[] = {RationalForm::termwise, RationalForm::whole_sum,
                                   RationalForm::full_sum, RationalForm::unsafe};

}  // namespace

void add_rationals(int64_t batch) {
  const std::pair<const char*, int64_t> sizes[] = {{"n1e5", 100'000}, {"n1e7", 10'000'000}};
  for (const auto& [size, n] : sizes)
    for (const Basis basis : kAllBases)
      for (const RationalForm form : kForms)
        for (const Degrees degrees : {Degrees{3, 2}, Degrees{5, 4}, Degrees{7, 6}})
          add_passes(std::string("rational/") + name_of(basis) + "/" + name_of(form) + "/" +
                         std::to_string(degrees.m) + "_" + std::to_string(degrees.n) + "/" + size,
                     cost_of(n, degrees, basis, Pass::forward),
                     cost_of(n, degrees, basis, Pass::training), [=, n = n] {
                       return rational_of(leaf({n}), degrees, {basis, form}, 1);
                     });

  const Degrees of_hp1{5, 4};
  const Shape images{batch, 64, 32, 32};
  const Cost forward = cost_of(images.size(), of_hp1, Basis::hermite_he, Pass::forward);
  const Cost training = cost_of(images.size(), of_hp1, Basis::hermite_he, Pass::training);
  add_passes("rational/one_function_per_channel/" + extents(images), forward, training,
             [=] { return rational_of(leaf(images), of_hp1, {}, images[1]); });
  // So far out that powers of x overflow, which takes another way of evaluating.
  add_passes("rational/far_out/" + extents(images), forward, training, [=] {
    Tensor x = random_numbers(images).mul_(1e12);
    return rational_of(x.requires_grad_(), of_hp1, {}, 1);
  });
}

}  // namespace pade::bench
