#pragma once

#include <pade/core/tensor.h>

/// From the tensors of a convolution's pass to their numbers, float32 or float64.
namespace pade::cpu {

/// f(a, b, result): the numbers of each.
template <class F>
void with_numbers(const Tensor& a, const Tensor& b, Tensor& result, F&& f) {
  dispatch_floating(a.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    f(a.data<T>(), b.data<T>(), result.mutable_data<T>());
  });
}

/// f(x, weight, bias, y), with a null pointer where there is no bias.
template <class F>
void with_numbers(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& y, F&& f) {
  with_numbers(x, weight, y, [&]<class T>(const T* in, const T* filters, T* out) {
    f(in, filters, bias.defined() ? bias.data<T>() : nullptr, out);
  });
}

}  // namespace pade::cpu
