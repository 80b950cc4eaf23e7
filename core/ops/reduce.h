#pragma once

#include <vector>

#include <pade/core/tensor.h>

/// Sums, means, maxima and minima over all elements (giving rank 0), or over a list of axes, as in
/// sum(x, {0, 2, 3}): negative ones count from the end, none may be listed twice, an empty list
/// reduces nothing. Reduced axes vanish from the result, or stay with extent 1 where `keepdim`.
/// float32 and float64 (argmax: every dtype), summed in float64; results do not depend on the
/// number of threads.
namespace pade {

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keepdim = false);

/// NaN over no elements.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keepdim = false);

/// NaN where there is one. The gradient goes to the first maximal element. Throws Error over no
/// elements.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, const std::vector<int>& axes, bool keepdim = false);

/// The same with the smallest element.
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, const std::vector<int>& axes, bool keepdim = false);

/// The index along `axis` of the first maximal element (or of the first NaN), int32. No gradient.
/// Throws Error over no elements.
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);

/// The mean of (prediction − target)² over all elements, of rank 0; NaN when there are none.
/// Differentiable in both. Throws Error unless shapes and dtypes are equal.
Tensor mse(const Tensor& prediction, const Tensor& target);

}  // namespace pade
