#pragma once

#include <concepts>
#include <cstdint>
#include <vector>

#include <pade/core/kernels/kernels.h>

/// The vocabulary of the plain loops: tensors as arrays of doubles. A kernel takes float32 and
/// float64, computes in double, and rounds once, when its result is stored.
namespace pade::reference {

/// Calls f(i, j, …) for all 0 ≤ i < extents[0], 0 ≤ j < extents[1] and so on: nested loops, the
/// last one innermost.
template <size_t kLoops, class F>
void for_all(const int64_t (&extents)[kLoops], const F& f, std::integral auto... outer) {
  if constexpr (sizeof...(outer) == kLoops)
    f(outer...);
  else
    for (int64_t i = 0; i < extents[sizeof...(outer)]; ++i) for_all(extents, f, outer..., i);
}

/// Whether an image has such a pixel.
inline bool is_inside(Size2 image, int64_t row, int64_t column) {
  return row >= 0 && row < image.h && column >= 0 && column < image.w;
}

/// Which element of a tensor of shape `own`, broadcast to the shape `whole`, is element i of that.
int64_t broadcast_position(const Shape& own, const Shape& whole, int64_t i);

/// The elements of a tensor in row-major order; an undefined tensor has none.
class Array {
 public:
  Array(const Tensor& tensor);

  int64_t size() const { return static_cast<int64_t>(values_.size()); }
  const Shape& shape() const { return shape_; }
  const double* data() const { return values_.data(); }

  double operator[](int64_t i) const { return values_[i]; }
  /// Element i, or `otherwise` where the tensor is undefined.
  double at(int64_t i, double otherwise) const { return values_.empty() ? otherwise : values_[i]; }
  /// The element at x(n, c, i, j).
  double operator()(std::integral auto... index) const { return values_[position(index...)]; }
  /// What lies over element i of y when this is broadcast to y's shape.
  double over(const Array& y, int64_t i) const { return values_[position_over(y, i)]; }

 protected:
  Array(const Shape& shape, int64_t size) : shape_(shape), values_(size, 0) {}
  int64_t position(std::integral auto... index) const {
    int64_t position = 0;
    const int64_t* extent = shape_.begin();
    for (const int64_t i : {int64_t{index}...}) position = position * *extent++ + i;
    return position;
  }
  int64_t position_over(const Array& y, int64_t i) const {
    return broadcast_position(shape_, y.shape_, i);
  }

  Shape shape_;
  std::vector<double> values_;
};
using In = const Array&;  // In and Out of kernels.h are the tensors that convert to these

/// A result: zeros at first. When it goes out of scope, the tensor gets the nearest numbers of its
/// dtype; integers saturate.
class Out : public Array {
 public:
  Out(Tensor& tensor)
      : Array(tensor.shape(), tensor.defined() ? tensor.size() : 0), tensor_(tensor) {}
  ~Out();
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;

  DType dtype() const { return tensor_.dtype(); }
  double& operator[](int64_t i) { return values_[i]; }
  double& operator()(std::integral auto... index) { return values_[position(index...)]; }
  double& over(const Array& y, int64_t i) { return values_[position_over(y, i)]; }

 private:
  Tensor& tensor_;
};

/// A result that is the tensor's contents at first.
class InOut : public Out {
 public:
  InOut(Tensor& tensor) : Out(tensor) { static_cast<Array&>(*this) = Array(tensor); }
};

}  // namespace pade::reference
