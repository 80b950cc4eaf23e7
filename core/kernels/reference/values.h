#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pade/core/kernels/kernels.h>

/// What the plain loops are written with. They read float32 and float64 tensors as vectors of
/// doubles in row-major order, compute in double, and round once, when a result is stored.
namespace pade::reference {

using Values = std::vector<double>;

/// Empty where the tensor is undefined.
Values values(const Tensor& tensor);
/// The dtype's nearest numbers; integers saturate.
void store(const Values& values, Tensor& tensor);

/// y = f(x, …), element by element.
template <class F, class... Tensors>
void map(Tensor& y, F&& f, const Tensors&... tensors) {
  Values results(y.size());
  const auto compute = [&](const auto&... x) {
    for (size_t i = 0; i < results.size(); ++i) results[i] = f(x[i]...);
  };
  compute(values(tensors)...);
  store(results, y);
}

using Index = std::vector<int64_t>;

/// Calls f(index, position) for every element of a tensor of that shape.
template <class F>
void for_each_index(const Shape& shape, F&& f) {
  Index index(shape.rank(), 0);
  for (int64_t position = 0; position < shape.size(); ++position) {
    f(index, position);
    for (int axis = shape.rank() - 1; axis >= 0 && ++index[axis] == shape[axis]; --axis)
      index[axis] = 0;
  }
}

/// The position of the element that a tensor of that shape, stretched, has at `index`: its axes are
/// the last ones, and one of extent 1 has the same element everywhere.
int64_t stretched(const Shape& shape, const Index& index);

// Of elementwise_forward() and elementwise_backward(), for P/Q.
void rational_forward(const RationalProblem& problem, const Tensor& x, const Tensor& numerator,
                      const Tensor& denominator, Tensor& y);
void rational_backward(const RationalProblem& problem, const Tensor& x,
                       std::span<const Tensor> parameters, const Tensor& dy, Tensor& dx,
                       std::span<Tensor> gradients);

}  // namespace pade::reference
