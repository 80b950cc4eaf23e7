#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/softmax.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

Tensor normalised(const char* op, bool log, const Tensor& x, int axis) {
  check_floating(op, {"x", x});
  axis = resolve_axis(op, x.shape(), axis);
  const SoftmaxLines lines{x.shape().size_before(axis), x.extent(axis),
                           x.shape().size_from(axis + 1)};
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).softmax_forward(lines, log, x, y);
  record(op, {&x}, y, {&y}, [lines, log](Gradients& gradients) {
    const Tensor &y = gradients.saved(0), &dy = gradients.of_output();
    gradients.set_computed(
        0, dy.shape(), [&](Tensor& dx) { kernels_of(dy).softmax_backward(lines, log, y, dy, dx); });
  });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) { return normalised("softmax", false, x, axis); }
Tensor log_softmax(const Tensor& x, int axis) { return normalised("log_softmax", true, x, axis); }

}  // namespace pade
