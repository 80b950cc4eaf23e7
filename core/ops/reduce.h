#pragma once

#include <initializer_list>
#include <span>

#include <pade/core/tensor.h>

/// Sums, means, maxima and minima over all elements (giving rank 0), or over a list of axes:
/// negative ones count from the end, none may be listed twice, an empty list reduces nothing.
/// Reduced axes vanish from the result, or stay with extent 1 where `keepdim`. float32 and float64
/// (argmax: every dtype), summed in float64; results do not depend on the number of threads.
namespace pade {

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, std::span<const int> axes, bool keepdim = false);

/// NaN over no elements.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, std::span<const int> axes, bool keepdim = false);

/// NaN where there is one. The gradient goes to the first maximal element. Throws Error over no
/// elements.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, std::span<const int> axes, bool keepdim = false);

/// The same with the smallest element.
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, std::span<const int> axes, bool keepdim = false);

/// The index along `axis` of the first maximal element (or of the first NaN), int32. No gradient.
/// Throws Error over no elements.
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);

/// sum(x, {0, 2, 3}).
inline Tensor sum(const Tensor& x, std::initializer_list<int> axes, bool keepdim = false) {
  return sum(x, std::span<const int>(axes.begin(), axes.size()), keepdim);
}
inline Tensor mean(const Tensor& x, std::initializer_list<int> axes, bool keepdim = false) {
  return mean(x, std::span<const int>(axes.begin(), axes.size()), keepdim);
}
inline Tensor max(const Tensor& x, std::initializer_list<int> axes, bool keepdim = false) {
  return max(x, std::span<const int>(axes.begin(), axes.size()), keepdim);
}
inline Tensor min(const Tensor& x, std::initializer_list<int> axes, bool keepdim = false) {
  return min(x, std::span<const int>(axes.begin(), axes.size()), keepdim);
}

}  // namespace pade
