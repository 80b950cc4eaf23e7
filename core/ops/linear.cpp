#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>
#include <pade/core/ops/linear.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/strided_copy.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

std::string how_to_flatten(const Shape& x) {
  if (x.rank() < 3) return "";
  return "; Flatten() before this layer makes x " + to_string(Shape{x[0], x.size_from(1)});
}

void check_arguments(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_floating("linear", {"x", x});
  check_same_kind("linear", {"x", x}, {"weight", weight});
  check(x.rank() >= 1 && weight.rank() == 2,
        "linear: expected x […, in] and weight [out, in], got x ", x.shape(), " and weight ",
        weight.shape());
  if (x.extent(-1) != weight.extent(1))
    fail("linear: x has ", x.extent(-1), " features, weight expects ", weight.extent(1), " (x ",
         x.shape(), ", weight ", weight.shape(), ")", how_to_flatten(x.shape()));
  if (!bias.defined()) return;
  check_same_kind("linear", {"x", x}, {"bias", bias});
  check(bias.shape() == Shape{weight.extent(0)}, "linear: expected a bias of shape [",
        weight.extent(0), "], got ", bias.shape(), " (weight ", weight.shape(), ")");
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_arguments(x, weight, bias);
  const int64_t in = weight.extent(1), out = weight.extent(0);
  if (x.rank() != 2) {
    const Tensor rows = x.reshape(Shape{x.shape().size_before(x.rank() - 1), in});
    return linear(rows, weight, bias).reshape(x.shape().with(-1, out));
  }
  const int64_t n = x.extent(0);
  Tensor y = Tensor::empty({n, out}, x.dtype(), x.device());
  if (bias.defined()) strided_copy({{n, 0, out}, {out, 1, 1}}, bias, 0, y, 0);
  kernels_of(y).matmul(
      {.transpose_b = true, .rows = n, .columns = out, .inner = in, .accumulate = bias.defined()},
      x, weight, y);
  const Tensor nothing;  // x and weight are each needed for the other one's gradient only
  record("linear", {&x, &weight, &bias}, y,
         {weight.requires_grad() ? &x : &nothing, x.requires_grad() ? &weight : &nothing},
         [n, in, out](Gradients& gradients) {
           const Tensor& dy = gradients.of_output();
           if (gradients.needs(0)) {
             Tensor dx = Tensor::empty({n, in}, dy.dtype(), dy.device());
             kernels_of(dy).matmul({.rows = n, .columns = in, .inner = out}, dy, gradients.saved(1),
                                   dx);
             gradients.set(0, dx);
           }
           if (gradients.needs(1)) {
             Tensor dweight = Tensor::empty({out, in}, dy.dtype(), dy.device());
             kernels_of(dy).matmul({.transpose_a = true, .rows = out, .columns = in, .inner = n},
                                   dy, gradients.saved(0), dweight);
             gradients.set(1, dweight);
           }
           if (gradients.needs(2)) {
             Tensor dbias = Tensor::empty({out}, dy.dtype(), dy.device());
             kernels_of(dy).reduce_sum(dy, {1, out}, 1, dbias);
             gradients.set(2, dbias);
           }
         });
  return y;
}

}  // namespace pade
