#pragma once

#include <pade/core/tensor.h>

/// Arithmetic of two tensors, element by element, float32 and float64; all but div take int32 too
/// (which wraps around), and uint8 (where results below 0 are 0, and those above 255 are 255).
///
/// uint8 beside another dtype takes that: `x * (x > 0)` multiplies by a mask of core/ops/compare.h,
/// and `(x > 0) * (x < 1)` is one again.
///
/// Shapes broadcast as in NumPy: aligned at the last axis, missing axes and axes of extent 1 are
/// stretched, so a bias [C, 1, 1] is added to images [N, C, H, W]. The gradient of a stretched
/// operand is the sum over the axes along which it was stretched. Throws Error where other
/// dtypes differ or shapes do not broadcast, naming both.
namespace pade {

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
/// The smaller / the larger one. NaN where either is NaN, which then gets the gradient; where both
/// are equal the first gets it.
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);

/// An operand. A number takes the dtype of the tensor beside it; int32 and uint8 refuse what they
/// cannot hold.
struct TensorOrNumber {
  TensorOrNumber(const Tensor& tensor) : tensor(&tensor) {}
  TensorOrNumber(double number) : number(number) {}

  const Tensor* tensor = nullptr;
  double number = 0;
};

Tensor operator+(const TensorOrNumber& a, const TensorOrNumber& b);
Tensor operator-(const TensorOrNumber& a, const TensorOrNumber& b);
Tensor operator*(const TensorOrNumber& a, const TensorOrNumber& b);
Tensor operator/(const TensorOrNumber& a, const TensorOrNumber& b);
Tensor operator-(const Tensor& x);

/// x += y is x = x + y: differentiable, and not a change in place, so that `total += loss` can be
/// trained, and another handle of x keeps its value. Throws Error where x is a leaf, which would
/// cease to be one: change a parameter by add_() under NoGrad.
Tensor& operator+=(Tensor& x, const TensorOrNumber& y);
Tensor& operator-=(Tensor& x, const TensorOrNumber& y);
Tensor& operator*=(Tensor& x, const TensorOrNumber& y);
Tensor& operator/=(Tensor& x, const TensorOrNumber& y);

}  // namespace pade
