#pragma once

#include <pade/core/tensor.h>

/// `kept` is x's shape with extent 1 on the axes that are reduced; results hold kept.size()
/// elements, in any shape.
namespace pade::cpu {

/// y = Σ x / divisor.
void reduce_sum(const Tensor& x, const Shape& kept, double divisor, Tensor& y);

/// dx = dy / divisor, stretched over the axes that were reduced.
void reduce_sum_backward(const Tensor& dy, const Shape& kept, double divisor, Tensor& dx);

/// The maxima and, int32, their numbers among the elements that they were chosen from, in row-major
/// order.
void reduce_max(const Tensor& x, const Shape& kept, Tensor& y, Tensor& number);

/// dx = dy at the elements of these numbers, 0 elsewhere.
void reduce_max_backward(const Tensor& number, const Shape& kept, const Tensor& dy, Tensor& dx);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::reduce_sum) reduce_sum;
decltype(cpu::reduce_sum_backward) reduce_sum_backward;
decltype(cpu::reduce_max) reduce_max;
decltype(cpu::reduce_max_backward) reduce_max_backward;

}  // namespace pade::cuda
