#include <array>
#include <limits>

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

Plan plan_for(const char* op, const Tensor& x, std::span<const int> axes, bool keepdim) {
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
  std::array<int64_t, Shape::kMaxRank> extents{};
  int rank = 0;
  for (int axis = 0; axis < from.rank(); ++axis)
    if (keepdim || !reduced[axis]) extents[rank++] = plan.kept[axis];
  plan.result = Shape(std::span<const int64_t>(extents.data(), rank));
  return plan;
}

Plan plan_for_all(const char* op, const Tensor& x) {
  std::array<int, Shape::kMaxRank> axes{};
  for (int axis = 0; axis < x.rank(); ++axis) axes[axis] = axis;
  return plan_for(op, x, std::span<const int>(axes.data(), x.rank()), false);
}

void check_has_elements(const char* op, const Plan& plan) {
  check(plan.length >= 1, op, ": there are no elements over the empty axes of shape ", plan.from);
  check(plan.length <= std::numeric_limits<int32_t>::max(), op, ": ", plan.length,
        " elements per result are too many for int32 indices (shape ", plan.from, ")");
}

Tensor sum_divided(const char* op, const Tensor& x, const Plan& plan, double divisor) {
  check_floating(op, {"x", x});
  Tensor y = Tensor::empty(plan.result, x.dtype(), x.device());
  kernels_of(x).reduce_sum(x, plan.kept, divisor, y);
  record(op, {&x}, y, {}, [plan, divisor](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    Tensor dx = Tensor::empty(plan.from, dy.dtype(), dy.device());
    kernels_of(dy).reduce_sum_backward(dy, plan.kept, divisor, dx);
    gradients.set(0, dx);
  });
  return y;
}

Tensor sum(const Tensor& x, const Plan& plan) { return sum_divided("sum", x, plan, 1); }

Tensor mean(const Tensor& x, const Plan& plan) {
  return sum_divided("mean", x, plan, static_cast<double>(plan.length));
}

Tensor max(const Tensor& x, const Plan& plan) {
  check_floating("max", {"x", x});
  check_has_elements("max", plan);
  Tensor y = Tensor::empty(plan.result, x.dtype(), x.device());
  Tensor number = Tensor::empty(plan.result, DType::int32, x.device());
  kernels_of(x).reduce_max(x, plan.kept, y, number);
  record("max", {&x}, y, {&number}, [plan](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    Tensor dx = Tensor::zeros(plan.from, dy.dtype(), dy.device());
    kernels_of(dy).reduce_max_backward(gradients.saved(0), plan.kept, dy, dx);
    gradients.set(0, dx);
  });
  return y;
}

Tensor min(const Tensor& x, const Plan& plan) {
  check_floating("min", {"x", x});
  check_has_elements("min", plan);
  return -max(-x, plan);
}

}  // namespace

Tensor sum(const Tensor& x) { return sum(x, plan_for_all("sum", x)); }
Tensor sum(const Tensor& x, std::span<const int> axes, bool keepdim) {
  return sum(x, plan_for("sum", x, axes, keepdim));
}

Tensor mean(const Tensor& x) { return mean(x, plan_for_all("mean", x)); }
Tensor mean(const Tensor& x, std::span<const int> axes, bool keepdim) {
  return mean(x, plan_for("mean", x, axes, keepdim));
}

Tensor max(const Tensor& x) { return max(x, plan_for_all("max", x)); }
Tensor max(const Tensor& x, std::span<const int> axes, bool keepdim) {
  return max(x, plan_for("max", x, axes, keepdim));
}

Tensor min(const Tensor& x) { return min(x, plan_for_all("min", x)); }
Tensor min(const Tensor& x, std::span<const int> axes, bool keepdim) {
  return min(x, plan_for("min", x, axes, keepdim));
}

Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  const Plan plan = plan_for("argmax", x, std::span<const int>(&axis, 1), keepdim);
  check_has_elements("argmax", plan);
  Tensor maxima = Tensor::empty(plan.result, x.dtype(), x.device());
  Tensor number = Tensor::empty(plan.result, DType::int32, x.device());
  kernels_of(x).reduce_max(x, plan.kept, maxima, number);
  return number;
}

}  // namespace pade
