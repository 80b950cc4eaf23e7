#include <numeric>
#include <span>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/strided_copy.h>
#include <pade/core/ops/transpose.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

using Order = std::vector<int>;

Tensor permuted(const Tensor& x, const Order& order) {
  std::vector<int64_t> extents;
  for (int axis : order) extents.push_back(x.extent(axis));
  const Shape shape{std::span<const int64_t>(extents)};
  std::vector<CopyAxis> axes;
  for (size_t k = 0; k < order.size(); ++k)
    axes.push_back(
        {extents[k], x.shape().size_from(order[k] + 1), shape.size_from(static_cast<int>(k) + 1)});
  Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  strided_copy(axes, x, 0, y, 0);
  return y;
}

Order inverse(const Order& order) {
  Order result(order.size());
  for (size_t k = 0; k < order.size(); ++k) result[order[k]] = static_cast<int>(k);
  return result;
}

Tensor recorded(const char* op, const Tensor& x, const Order& order) {
  Tensor y = permuted(x, order);
  record(op, {&x}, y, {}, [back = inverse(order)](Gradients& gradients) {
    gradients.set(0, permuted(gradients.of_output(), back));
  });
  return y;
}

}  // namespace

Tensor transpose(const Tensor& x, int axis0, int axis1) {
  check_defined("transpose", {{"x", x}});
  Order order(x.rank());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[resolve_axis("transpose", x.shape(), axis0)],
            order[resolve_axis("transpose", x.shape(), axis1)]);
  return recorded("transpose", x, order);
}

Tensor permute(const Tensor& x, const std::vector<int>& axes) {
  check_defined("permute", {{"x", x}});
  check(static_cast<int>(axes.size()) == x.rank(), "permute: ", axes.size(),
        " axes for a tensor of shape ", x.shape());
  Order order;
  std::vector<bool> named(x.rank(), false);
  for (int axis : axes) {
    order.push_back(resolve_axis("permute", x.shape(), axis));
    check(!named[order.back()], "permute: axis ", axis, " of shape ", x.shape(), " is named twice");
    named[order.back()] = true;
  }
  return recorded("permute", x, order);
}

}  // namespace pade
