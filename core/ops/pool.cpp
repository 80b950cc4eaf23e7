#include <limits>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/pool.h>
#include <pade/core/ops/window.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

PoolProblem make_problem(const char* op, const Tensor& x, Size2 kernel, Size2 stride,
                         Size2 padding) {
  check_floating(op, {"x", x});
  check(x.rank() == 4, op, ": expected [N, C, H, W], got ", x.shape());
  check(kernel.h >= 1 && kernel.w >= 1 && stride.h >= 1 && stride.w >= 1, op, ": kernel ", kernel,
        " and stride ", stride, " must be at least 1");
  check(padding.h >= 0 && padding.w >= 0 && 2 * padding.h <= kernel.h && 2 * padding.w <= kernel.w,
        op, ": padding ", padding, " must be at least 0 and at most half the kernel ", kernel);
  PoolProblem p{x.extent(0) * x.extent(1), x.extent(2), x.extent(3), 0, 0, kernel, stride, padding};
  const Size2 output = count_windows(op, {p.h, p.w}, {kernel, stride, padding, 1});
  p.oh = output.h, p.ow = output.w;
  check(p.h >= 1 && p.w >= 1, op, ": images of ", Size2(p.h, p.w), " have nothing to pool");
  check(p.h * p.w <= std::numeric_limits<int32_t>::max(), op, ": an image of ", Size2(p.h, p.w),
        " is too large");
  return p;
}

}  // namespace

Tensor max_pool2d(const Tensor& x, Size2 kernel, Size2 stride, Size2 padding) {
  const PoolProblem problem = make_problem("max_pool2d", x, kernel, stride, padding);
  Tensor y =
      Tensor::empty({x.extent(0), x.extent(1), problem.oh, problem.ow}, x.dtype(), x.device());
  Tensor winner = Tensor::empty(y.shape(), DType::int32, x.device());
  kernels_of(x).max_pool_forward(problem, x, y, winner);
  record("max_pool2d", {&x}, y, {&winner}, [problem, shape = x.shape()](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernels_of(dy).max_pool_backward(problem, dy, gradients.saved(0), dx);
    gradients.set(0, dx);
  });
  return y;
}

Tensor avg_pool2d(const Tensor& x, Size2 kernel, Size2 stride, Size2 padding, bool count_padding) {
  PoolProblem problem = make_problem("avg_pool2d", x, kernel, stride, padding);
  problem.count_padding = count_padding;
  Tensor y =
      Tensor::empty({x.extent(0), x.extent(1), problem.oh, problem.ow}, x.dtype(), x.device());
  kernels_of(x).avg_pool_forward(problem, x, y);
  record("avg_pool2d", {&x}, y, {}, [problem, shape = x.shape()](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernels_of(dy).avg_pool_backward(problem, dy, dx);
    gradients.set(0, dx);
  });
  return y;
}

Tensor global_avg_pool2d(const Tensor& x) {
  check_defined("global_avg_pool2d", {{"x", x}});
  check(x.rank() == 4 && x.extent(2) >= 1 && x.extent(3) >= 1,
        "global_avg_pool2d: expected [N, C, H, W] with H and W at least 1, got ", x.shape());
  return avg_pool2d(x, {x.extent(2), x.extent(3)});
}

}  // namespace pade
