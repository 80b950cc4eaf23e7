#pragma once

#include <pade/core/ops/size2.h>
#include <pade/core/tensor.h>

namespace pade {

/// Windows over `planes` images [h, w], giving planes [oh, ow].
struct PoolProblem {
  int64_t planes, h, w, oh, ow;
  Size2 kernel, stride, padding;
  bool count_padding = true;
};

namespace cpu {

/// `winner` (int32, y's shape) gets the place of each largest value in its plane.
void max_pool_forward(const PoolProblem& problem, const Tensor& x, Tensor& y, Tensor& winner);
void max_pool_backward(const PoolProblem& problem, const Tensor& dy, const Tensor& winner,
                       Tensor& dx);
void avg_pool_forward(const PoolProblem& problem, const Tensor& x, Tensor& y);
void avg_pool_backward(const PoolProblem& problem, const Tensor& dy, Tensor& dx);

}  // namespace cpu

namespace cuda {

decltype(cpu::max_pool_forward) max_pool_forward;
decltype(cpu::max_pool_backward) max_pool_backward;
decltype(cpu::avg_pool_forward) avg_pool_forward;
decltype(cpu::avg_pool_backward) avg_pool_backward;

}  // namespace cuda
}  // namespace pade
