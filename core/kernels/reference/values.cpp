#include <pade/core/kernels/math/tensor.h>
#include <pade/core/kernels/reference/values.h>

namespace pade::reference {

Values values(const Tensor& tensor) {
  Values values;
  if (!tensor.defined()) return values;
  dispatch(tensor.dtype(), [&](auto zero) {
    const auto* from = tensor.data<decltype(zero)>();
    values.assign(from, from + tensor.size());
  });
  return values;
}

void store(const Values& values, Tensor& tensor) {
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* to = tensor.mutable_data<T>();
    for (size_t i = 0; i < values.size(); ++i) to[i] = convert<T>(values[i]);
  });
}

int64_t stretched(const Shape& shape, const Index& index) {
  const auto missing = static_cast<int64_t>(index.size()) - shape.rank();
  int64_t position = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    position = position * shape[axis] + (shape[axis] == 1 ? 0 : index[missing + axis]);
  return position;
}

}  // namespace pade::reference
