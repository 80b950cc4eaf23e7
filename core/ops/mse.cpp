#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/mse.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/reduce.h>

namespace pade {

Tensor mse(const Tensor& prediction, const Tensor& target) {
  check_defined("mse", {{"prediction", prediction}, {"target", target}});
  check(prediction.dtype() == target.dtype() && is_floating(target.dtype()),
        "mse: expected two float32 or two float64 tensors, got ", prediction.dtype(), " and ",
        target.dtype());
  check(prediction.device() == target.device(), "mse: prediction is on ", prediction.device(),
        " and target on ", target.device());
  check(prediction.shape() == target.shape(), "mse: prediction ", prediction.shape(),
        " and target ", target.shape(), " have different shapes");
  const Tensor difference = prediction - target;
  return mean(difference * difference);
}

}  // namespace pade
