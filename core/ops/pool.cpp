#include <limits>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/pool.h>
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
  const Size2 image{x.extent(2), x.extent(3)};
  const Size2 output = count_windows(op, image, {kernel, stride, padding, 1});
  check(image.h >= 1 && image.w >= 1, op, ": images of ", image, " have nothing to pool");
  check(image.area() <= std::numeric_limits<int32_t>::max(), op, ": an image of ", image,
        " is too large");
  return {x.extent(0) * x.extent(1), image.h, image.w, output.h, output.w, kernel, stride, padding};
}

}  // namespace

Tensor max_pool2d(const Tensor& x, Size2 kernel, Size2 stride, Size2 padding) {
  const PoolProblem p = make_problem("max_pool2d", x, kernel, stride, padding);
  Tensor y = empty_beside(x, {x.extent(0), x.extent(1), p.oh, p.ow});
  Tensor winner = Tensor::empty(y.shape(), DType::int32, x.device());
  kernels_of(x).max_pool_forward(p, x, y, winner);
  record("max_pool2d", {&x}, y, {&winner}, [p, of_x = x.shape()](Gradients& gradients) {
    gradients.set_computed(0, of_x, [&](Tensor& dx) {
      kernels_of(dx).max_pool_backward(p, gradients.of_output(), gradients.saved(0), dx);
    });
  });
  return y;
}

Tensor avg_pool2d(const Tensor& x, Size2 kernel, Size2 stride, Size2 padding, bool count_padding) {
  PoolProblem p = make_problem("avg_pool2d", x, kernel, stride, padding);
  p.count_padding = count_padding;
  Tensor y = empty_beside(x, {x.extent(0), x.extent(1), p.oh, p.ow});
  kernels_of(x).avg_pool_forward(p, x, y);
  record("avg_pool2d", {&x}, y, {}, [p, of_x = x.shape()](Gradients& gradients) {
    gradients.set_computed(0, of_x, [&](Tensor& dx) {
      kernels_of(dx).avg_pool_backward(p, gradients.of_output(), dx);
    });
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
