#include <pade/core/error.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/slice.h>
#include <pade/core/ops/strided_copy.h>
#include <pade/core/tape.h>

namespace pade {

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
  check_defined("slice", {{"x", x}});
  axis = resolve_axis("slice", x.shape(), axis);
  if (axis == 0) return x.slice(begin, end);
  check(0 <= begin && begin <= end && end <= x.extent(axis), "slice: [", begin, ", ", end,
        ") is out of range for axis ", axis, " of shape ", x.shape());
  const Shape shape = x.shape().with(axis, end - begin);
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  const int64_t offset = offset_of(x.shape(), axis, begin);
  strided_copy(box_axes(shape, x.shape(), shape), x, offset, y, 0);
  record("slice", {&x}, y, {}, [from = x.shape(), offset](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    Tensor dx = Tensor::zeros(from, dy.dtype(), dy.device());
    strided_copy(box_axes(dy.shape(), dy.shape(), from), dy, 0, dx, offset);
    gradients.set(0, dx);
  });
  return y;
}

}  // namespace pade
