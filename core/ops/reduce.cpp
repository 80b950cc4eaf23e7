#include <array>
#include <limits>
#include <numeric>
#include <span>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

/// A reduction of `from` over some axes.
struct Plan {
  Shape from;
  Shape kept;          // with extent 1 on the reduced axes
  Shape result;        // kept, or without the reduced axes
  int64_t length = 1;  // elements per result
};

Plan plan_for(const char* op, const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  check_defined(op, {{"x", x}});
  const Shape& from = x.shape();
  Plan plan{from, from, {}};
  std::array<bool, Shape::kMaxRank> reduced{};
  for (const int axis : axes) {
    const int resolved = resolve_axis(op, from, axis);
    check(!reduced[resolved], op, ": axis ", resolved, " of shape ", from, " is listed twice");
    reduced[resolved] = true;
    plan.kept = plan.kept.with(resolved, 1);
    plan.length *= from[resolved];
  }
  std::vector<int64_t> extents;
  for (int axis = 0; axis < from.rank(); ++axis)
    if (keepdim || !reduced[axis]) extents.push_back(plan.kept[axis]);
  plan.result = Shape(std::span<const int64_t>(extents));
  return plan;
}

std::vector<int> all_axes(const Tensor& x) {
  std::vector<int> axes(x.rank());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Tensor sum_divided(const char* op, const Tensor& x, const Plan& plan, double divisor) {
  check_floating(op, {"x", x});
  Tensor y = empty_beside(x, plan.result);
  kernels_of(x).reduce_sum(x, plan.kept, divisor, y);
  record(op, {&x}, y, {}, [plan, divisor](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    gradients.set_computed(0, plan.from, [&](Tensor& dx) {
      const Tensor by = Tensor::full({}, divisor, dy.dtype(), dy.device());
      kernels_of(dy).arithmetic_forward(arithmetic::Div(), dy.reshape(plan.kept), by, dx);
    });
  });
  return y;
}

void check_has_elements(const char* op, const Plan& plan) {
  check(plan.length >= 1, op, ": there are no elements over the empty axes of shape ", plan.from);
  check(plan.length <= std::numeric_limits<int32_t>::max(), op, ": ", plan.length,
        " elements per result are too many for int32 indices (shape ", plan.from, ")");
}

}  // namespace

Tensor sum(const Tensor& x) { return sum(x, all_axes(x)); }
Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  return sum_divided("sum", x, plan_for("sum", x, axes, keepdim), 1);
}

Tensor mean(const Tensor& x) { return mean(x, all_axes(x)); }
Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  const Plan plan = plan_for("mean", x, axes, keepdim);
  return sum_divided("mean", x, plan, static_cast<double>(plan.length));
}

Tensor max(const Tensor& x) { return max(x, all_axes(x)); }
Tensor max(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  const Plan plan = plan_for("max", x, axes, keepdim);
  check_floating("max", {"x", x});
  check_has_elements("max", plan);
  Tensor y = empty_beside(x, plan.result);
  Tensor number = Tensor::empty(plan.result, DType::int32, x.device());
  kernels_of(x).reduce_max(x, plan.kept, y, number);
  record("max", {&x}, y, {&number}, [plan](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    gradients.set_computed(0, plan.from, [&](Tensor& dx) {
      dx.fill_(0);
      kernels_of(dy).reduce_max_backward(gradients.saved(0), plan.kept, dy, dx);
    });
  });
  return y;
}

Tensor min(const Tensor& x) { return min(x, all_axes(x)); }
Tensor min(const Tensor& x, const std::vector<int>& axes, bool keepdim) {
  const Plan plan = plan_for("min", x, axes, keepdim);
  check_floating("min", {"x", x});
  check_has_elements("min", plan);
  return -max(-x, axes, keepdim);
}

Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  const Plan plan = plan_for("argmax", x, {axis}, keepdim);
  check_has_elements("argmax", plan);
  Tensor maxima = empty_beside(x, plan.result);
  Tensor number = Tensor::empty(plan.result, DType::int32, x.device());
  kernels_of(x).reduce_max(x, plan.kept, maxima, number);
  return number;
}

Tensor mse(const Tensor& prediction, const Tensor& target) {
  check_floating("mse", {"prediction", prediction});
  check_same_kind("mse", {"prediction", prediction}, {"target", target});
  check(prediction.shape() == target.shape(), "mse: prediction ", prediction.shape(),
        " and target ", target.shape(), " have different shapes");
  const Tensor difference = prediction - target;
  return mean(difference * difference);
}

}  // namespace pade
