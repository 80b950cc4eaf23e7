#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

struct GradcheckOptions {
  double step = 1e-6;       ///< relative to max(1, |x|)
  double tolerance = 1e-6;  ///< on |analytic − numeric| / max(1, |numeric|)
  uint64_t seed = 1;        ///< of the random cotangent
  /// How many of one input are perturbed; evenly spread when there are more.
  int64_t max_elements = 512;
};

struct GradcheckReport {
  bool ok = true;
  double worst_error = 0;
  std::string message;  ///< where the worst error is: input, element, both values
};
std::ostream& operator<<(std::ostream& out, const GradcheckReport& report);

/// Compares the gradients that a tape computes for `function` with central differences, element by
/// element, for every input. The output (of any shape) is multiplied by a random cotangent and
/// summed. Inputs are float64 tensors; keep them a few steps away from kinks.
///
/// Meanwhile new storage is filled with NaN and the inputs' gradients hold infinities beforehand,
/// so that an element that nobody assigns is found too; the tape is replayed once with
/// accumulation, so that a gradient that is assigned where it should be added is found as well.
///
///   CHECK(gradcheck([](const std::vector<Tensor>& in) { return mul(in[0], in[1]); }, {a, b}).ok);
GradcheckReport gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          std::vector<Tensor> inputs, GradcheckOptions options = {});

}  // namespace pade
