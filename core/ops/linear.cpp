#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/linear.h>
#include <pade/core/ops/operands.h>
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
  if (bias.defined()) check_vector("linear", {"weight", weight}, {"bias", bias}, weight.extent(0));
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
  Tensor y = empty_beside(x, {n, out});
  if (bias.defined()) kernels_of(y).strided_copy({{n, 0, out}, {out, 1, 1}}, bias, 0, y, 0);
  kernels_of(y).matmul(
      {.transpose_b = true, .rows = n, .columns = out, .inner = in, .accumulate = bias.defined()},
      x, weight, y);
  const Tensor nothing;  // x and weight are each needed for the other one's gradient only
  record("linear", {&x, &weight, &bias}, y,
         {weight.requires_grad() ? &x : &nothing, x.requires_grad() ? &weight : &nothing},
         [n, in, out](Gradients& gradients) {
           const Tensor& dy = gradients.of_output();
           const Kernels& kernels = kernels_of(dy);
           gradients.set_computed(0, {n, in}, [&](Tensor& dx) {
             kernels.matmul({.rows = n, .columns = in, .inner = out}, dy, gradients.saved(1), dx);
           });
           gradients.set_computed(1, {out, in}, [&](Tensor& dweight) {
             kernels.matmul({.transpose_a = true, .rows = out, .columns = in, .inner = n}, dy,
                            gradients.saved(0), dweight);
           });
           gradients.set_computed(2, {out}, [&](Tensor& dbias) {
             kernels.reduce_sum(dy, {1, out}, 1, dbias);
           });
         });
  return y;
}

}  // namespace pade
