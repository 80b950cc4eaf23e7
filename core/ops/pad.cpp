#include <pade/core/error.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/pad.h>
#include <pade/core/ops/strided_copy.h>
#include <pade/core/tape.h>

namespace pade {

Tensor pad(const Tensor& x, const std::vector<AxisPadding>& padding, double value) {
  check_defined("pad", {{"x", x}});
  check(static_cast<int>(padding.size()) == x.rank(), "pad: expected one padding per axis of ",
        x.shape(), ", got ", padding.size());
  Shape shape = x.shape();
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto [before, after] = padding[axis];
    check(before >= 0 && after >= 0, "pad: padding {", before, ", ", after, "} of axis ", axis,
          " of shape ", x.shape(), " is negative");
    shape = shape.with(axis, before + x.extent(axis) + after);
  }
  int64_t offset = 0;
  for (int axis = 0; axis < x.rank(); ++axis)
    offset += offset_of(shape, axis, padding[axis].before);
  Tensor y = Tensor::full(shape, value, x.dtype(), x.device());
  strided_copy(box_axes(x.shape(), x.shape(), shape), x, 0, y, offset);
  record("pad", {&x}, y, {}, [from = x.shape(), offset](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    Tensor dx = Tensor::empty(from, dy.dtype(), dy.device());
    strided_copy(box_axes(from, dy.shape(), from), dy, offset, dx, 0);
    gradients.set(0, dx);
  });
  return y;
}

}  // namespace pade
