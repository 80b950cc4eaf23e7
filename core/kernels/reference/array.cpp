#include <pade/core/kernels/math/tensor.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {

int64_t broadcast_position(const Shape& own, const Shape& whole, int64_t i) {
  int64_t position = 0, stride = 1;
  for (int axis = 1; axis <= own.rank(); ++axis) {  // from the last one, at which they are aligned
    if (own[-axis] != 1) position += i % whole[-axis] * stride;
    i /= whole[-axis];
    stride *= own[-axis];
  }
  return position;
}

Array::Array(const Tensor& tensor) : shape_(tensor.shape()) {
  if (!tensor.defined()) return;
  dispatch(tensor.dtype(),
           [&]<class T>(T) { values_.assign(tensor.data<T>(), tensor.data<T>() + tensor.size()); });
}

Out::~Out() {
  if (!tensor_.defined()) return;
  dispatch(tensor_.dtype(), [&]<class T>(T) {
    T* to = tensor_.mutable_data<T>();
    for (const double value : values_) *to++ = convert<T>(value);
  });
}

}  // namespace pade::reference
