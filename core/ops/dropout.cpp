#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/dropout.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {

Tensor dropout(const Tensor& x, double probability, Rng& rng) {
  check_floating("dropout", {"x", x});
  check(probability >= 0 && probability <= 1, "dropout: the probability must be in [0, 1], got ",
        probability);
  if (probability == 0) return x;
  const Rng start = rng;  // backward draws the mask again instead of keeping it
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).dropout(x, probability, start, y);
  rng.advance((x.size() + 3) / 4);
  record("dropout", {&x}, y, {}, [probability, start](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    gradients.set_computed(0, dy.shape(),
                           [&](Tensor& dx) { kernels_of(dy).dropout(dy, probability, start, dx); });
  });
  return y;
}

}  // namespace pade
