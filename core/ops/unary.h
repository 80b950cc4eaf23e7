#pragma once

#include <limits>

#include <pade/core/tensor.h>

/// Functions of one tensor, element by element: result[i] = f(x[i]), float32 and float64, any
/// shape. NaN in, NaN out, unless said otherwise. All throw Error on other dtypes.
namespace pade {

Tensor exp(const Tensor& x);
/// Natural logarithm: −Inf at 0, NaN below.
Tensor log(const Tensor& x);
/// NaN below 0; the derivative at ±0 is +Inf.
Tensor sqrt(const Tensor& x);
/// The derivative at 0 is 0.
Tensor abs(const Tensor& x);
/// x ** exponent for a constant exponent, as std::pow has it.
Tensor power(const Tensor& x, double exponent);
/// Of radians, right for every finite x, however large. NaN at ±Inf.
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
/// 1 / (1 + exp(−x)), without overflow for any x.
Tensor sigmoid(const Tensor& x);
/// min(max(x, low), high). The derivative is 1 on [low, high] and 0 outside. Throws Error unless
/// low <= high.
Tensor clamp(const Tensor& x, double low, double high = std::numeric_limits<double>::infinity());
/// max(x, 0). The derivative at 0 is 0.
Tensor relu(const Tensor& x);
/// x above 0, slope · x elsewhere. The derivative at 0 is `slope`.
Tensor leaky_relu(const Tensor& x, double slope = 0.01);

}  // namespace pade
