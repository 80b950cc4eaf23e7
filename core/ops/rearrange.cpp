#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

/// A copy of elements from one tensor to another: as many as `box` has, walked by its axes.
struct Copy {
  Shape box;
  std::vector<CopyAxis> axes;
  int64_t from_offset = 0, to_offset = 0;

  void operator()(const Tensor& from, Tensor& to) const {
    kernels_of(to).strided_copy(axes, from, from_offset, to, to_offset);
  }
  /// The way back. Its axes are in the order of what is written.
  Copy reversed() const {
    Copy back{box, axes, to_offset, from_offset};
    for (CopyAxis& axis : back.axes) std::swap(axis.from_stride, axis.to_stride);
    std::ranges::stable_sort(back.axes, std::greater(), &CopyAxis::to_stride);
    return back;
  }
};

/// Of a box between tensors of these shapes, all of one rank.
Copy copy_of_box(const Shape& box, const Shape& from, const Shape& to) {
  Copy copy{box, {}};
  for (int axis = 0; axis < box.rank(); ++axis)
    copy.axes.push_back({box[axis], from.size_from(axis + 1), to.size_from(axis + 1)});
  return copy;
}

/// How many elements lie before the one at `index` of `axis` and 0 of the other axes.
int64_t offset_of(const Shape& shape, int axis, int64_t index) {
  return index * shape.size_from(axis + 1);
}

/// y with a copy of each input, as one op.
Tensor copied(const char* op, std::span<const Tensor> inputs, std::vector<Copy> copies, Tensor y) {
  std::vector<const Tensor*> addresses;
  std::vector<Shape> shapes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    copies[i](inputs[i], y);
    addresses.push_back(&inputs[i]);
    shapes.push_back(inputs[i].shape());
  }
  const auto backward = [copies = std::move(copies),
                         shapes = std::move(shapes)](Gradients& gradients) {
    for (size_t i = 0; i < shapes.size(); ++i)
      gradients.set_computed(static_cast<int>(i), shapes[i], [&](Tensor& dx) {
        if (copies[i].box.size() < dx.size()) dx.fill_(0);
        copies[i].reversed()(gradients.of_output(), dx);
      });
  };
  record(op, addresses, y, {}, backward);
  return y;
}

Tensor permuted(const char* op, const Tensor& x, const std::vector<int>& order) {
  std::vector<int64_t> extents;
  for (const int axis : order) extents.push_back(x.extent(axis));
  const Shape shape{std::span<const int64_t>(extents)};
  Copy copy = copy_of_box(shape, shape, shape);
  for (size_t k = 0; k < order.size(); ++k)
    copy.axes[k].from_stride = x.shape().size_from(order[k] + 1);
  return copied(op, {&x, 1}, {copy}, empty_beside(x, shape));
}

}  // namespace

Tensor transpose(const Tensor& x, int axis0, int axis1) {
  check_defined("transpose", {{"x", x}});
  std::vector<int> order(x.rank());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[resolve_axis("transpose", x.shape(), axis0)],
            order[resolve_axis("transpose", x.shape(), axis1)]);
  return permuted("transpose", x, order);
}

Tensor permute(const Tensor& x, const std::vector<int>& axes) {
  check_defined("permute", {{"x", x}});
  check(static_cast<int>(axes.size()) == x.rank(), "permute: ", axes.size(),
        " axes for a tensor of shape ", x.shape());
  std::vector<int> order;
  for (const int axis : axes) {
    const int resolved = resolve_axis("permute", x.shape(), axis);
    check(std::ranges::count(order, resolved) == 0, "permute: axis ", axis, " of shape ", x.shape(),
          " is named twice");
    order.push_back(resolved);
  }
  return permuted("permute", x, order);
}

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
  check_defined("slice", {{"x", x}});
  axis = resolve_axis("slice", x.shape(), axis);
  if (axis == 0) return x.slice(begin, end);
  check(0 <= begin && begin <= end && end <= x.extent(axis), "slice: [", begin, ", ", end,
        ") is out of range for axis ", axis, " of shape ", x.shape());
  const Shape shape = x.shape().with(axis, end - begin);
  Copy copy = copy_of_box(shape, x.shape(), shape);
  copy.from_offset = offset_of(x.shape(), axis, begin);
  return copied("slice", {&x, 1}, {copy}, empty_beside(x, shape));
}

Tensor concat(const std::vector<Tensor>& tensors, int axis) {
  check(!tensors.empty(), "concat: no tensors");
  const Tensor& first = tensors.front();
  for (const Tensor& x : tensors)
    check_same_kind("concat", {"the first tensor", first}, {"another one", x});
  axis = resolve_axis("concat", first.shape(), axis);
  int64_t extent = 0;
  for (const Tensor& x : tensors) {
    check(x.rank() == first.rank() && x.shape().with(axis, 0) == first.shape().with(axis, 0),
          "concat: ", first.shape(), " and ", x.shape(), " differ in more than axis ", axis);
    extent += x.extent(axis);
  }
  const Shape shape = first.shape().with(axis, extent);
  std::vector<Copy> copies;
  int64_t begin = 0;
  for (const Tensor& x : tensors) {
    copies.push_back(copy_of_box(x.shape(), x.shape(), shape));
    copies.back().to_offset = offset_of(shape, axis, begin);
    begin += x.extent(axis);
  }
  return copied("concat", tensors, std::move(copies), empty_beside(first, shape));
}

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
  Copy copy = copy_of_box(x.shape(), x.shape(), shape);
  for (int axis = 0; axis < x.rank(); ++axis)
    copy.to_offset += offset_of(shape, axis, padding[axis].before);
  return copied("pad", {&x, 1}, {copy}, Tensor::full(shape, value, x.dtype(), x.device()));
}

}  // namespace pade
