#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/concat.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/strided_copy.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

/// The shape of the result; `axis` must be resolved.
Shape joined_shape(const std::vector<Tensor>& tensors, int axis) {
  const Tensor& first = tensors.front();
  int64_t extent = 0;
  for (const Tensor& tensor : tensors) {
    check(tensor.dtype() == first.dtype(), "concat: expected ", first.dtype(), " as in the first ",
          "tensor, got ", tensor.dtype());
    check(tensor.device() == first.device(), "concat: expected all tensors on ", first.device(),
          ", got one on ", tensor.device());
    check(tensor.rank() == first.rank() &&
              tensor.shape().with(axis, 0) == first.shape().with(axis, 0),
          "concat: ", first.shape(), " and ", tensor.shape(), " differ in more than axis ", axis);
    extent += tensor.extent(axis);
  }
  return first.shape().with(axis, extent);
}

}  // namespace

Tensor concat(const std::vector<Tensor>& tensors, int axis) {
  check(!tensors.empty(), "concat: no tensors");
  for (const Tensor& tensor : tensors) check_defined("concat", {{"a tensor", tensor}});
  axis = resolve_axis("concat", tensors.front().shape(), axis);
  const Shape shape = joined_shape(tensors, axis);
  Tensor y = Tensor::empty(shape, tensors.front().dtype(), tensors.front().device());
  std::vector<const Tensor*> inputs;
  std::vector<Shape> shapes;
  int64_t begin = 0;
  for (const Tensor& x : tensors) {
    strided_copy(box_axes(x.shape(), x.shape(), shape), x, 0, y, offset_of(shape, axis, begin));
    begin += x.extent(axis);
    inputs.push_back(&x);
    shapes.push_back(x.shape());
  }
  record("concat", inputs, y, {}, [axis, shapes = std::move(shapes)](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    int64_t begin = 0;
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (gradients.needs(static_cast<int>(i))) {
        Tensor dx = Tensor::empty(shapes[i], dy.dtype(), dy.device());
        strided_copy(box_axes(shapes[i], dy.shape(), shapes[i]), dy,
                     offset_of(dy.shape(), axis, begin), dx, 0);
        gradients.set(static_cast<int>(i), dx);
      }
      begin += shapes[i][axis];
    }
  });
  return y;
}

}  // namespace pade
