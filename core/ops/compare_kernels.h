#pragma once

#include <functional>
#include <variant>

#include <pade/core/tensor.h>

namespace pade {

using Comparison = std::variant<std::equal_to<>, std::not_equal_to<>, std::less<>,
                                std::less_equal<>, std::greater<>, std::greater_equal<>>;

namespace cpu {

/// y (uint8) = comparison(a, b), with a and b stretched to y's shape; b has a's dtype or float64.
void compare(const Comparison& comparison, const Tensor& a, const Tensor& b, Tensor& y);

/// y = condition ? a : b, all stretched to y's shape.
void where_forward(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y);

/// dy where (condition != 0) == chosen, else 0, summed to the gradient's shape.
void where_backward(const Tensor& condition, bool chosen, const Tensor& dy, Tensor& gradient);

}  // namespace cpu

namespace cuda {

decltype(cpu::compare) compare;
decltype(cpu::where_forward) where_forward;
decltype(cpu::where_backward) where_backward;

}  // namespace cuda
}  // namespace pade
