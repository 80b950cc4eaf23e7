#include <pade/core/error.h>
#include <pade/layers/flatten.h>

namespace pade {

Tensor Flatten::forward(const Tensor& x) {
  check(x.rank() >= 1, "Flatten: expected a batch, got a tensor of rank 0");
  return x.reshape(Shape{x.extent(0), x.shape().size_from(1)});
}

}  // namespace pade
