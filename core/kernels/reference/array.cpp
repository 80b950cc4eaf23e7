#include <pade/core/kernels/math/tensor.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {

int64_t position_in(const Shape& shape, const Index& index) {
  const auto missing = static_cast<int>(index.size()) - shape.rank();
  int64_t position = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    position = position * shape[axis] + (shape[axis] == 1 ? 0 : index[missing + axis]);
  return position;
}

void Array::load(const Tensor& tensor) {
  if (!tensor.defined()) return;
  dispatch(tensor.dtype(),
           [&]<class T>(T) { values_.assign(tensor.data<T>(), tensor.data<T>() + tensor.size()); });
}

Result::~Result() {
  if (!tensor_.defined()) return;
  dispatch(tensor_.dtype(), [&]<class T>(T) {
    T* to = tensor_.mutable_data<T>();
    for (const double value : values_) *to++ = convert<T>(value);
  });
}

}  // namespace pade::reference
