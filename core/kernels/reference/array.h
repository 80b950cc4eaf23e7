#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include <pade/core/kernels/kernels.h>

/// What the plain loops are written with: tensors as arrays of doubles. So the loops take float32
/// and float64, compute in double, and round once, when a result is stored.
namespace pade::reference {

using Index = std::vector<int64_t>;  ///< a number for each axis

/// Calls f(index) for every element of a tensor of that shape, in row-major order.
template <class F>
void for_each_index(const Shape& shape, F&& f) {
  Index index(shape.rank(), 0);
  for (int64_t i = 0; i < shape.size(); ++i) {
    f(index);
    for (int axis = shape.rank() - 1; axis >= 0 && ++index[axis] == shape[axis]; --axis)
      index[axis] = 0;
  }
}

/// The position of the element that a tensor of that shape, stretched, has at `index`: its axes are
/// the last ones, and one of extent 1 has the same element everywhere.
int64_t position_in(const Shape& shape, const Index& index);

/// The elements of a tensor, in row-major order. An undefined tensor has none.
class Array {
 public:
  Array(const Tensor& tensor) : shape_(tensor.shape()) { load(tensor); }

  int64_t size() const { return static_cast<int64_t>(values_.size()); }
  const std::vector<double>& values() const { return values_; }
  const Shape& shape() const { return shape_; }
  /// The same elements in another shape.
  void reshape(const Shape& shape) { shape_ = shape; }

  double operator[](int64_t i) const { return values_[i]; }
  double operator()(const Index& index) const { return values_[position_in(shape_, index)]; }
  double operator()(std::integral auto... index) const { return values_[position(index...)]; }
  /// Element i, or `otherwise` where the tensor is undefined.
  double at(int64_t i, double otherwise) const { return values_.empty() ? otherwise : values_[i]; }

 protected:
  explicit Array(const Shape& shape) : shape_(shape), values_(shape.size(), 0) {}
  void load(const Tensor& tensor);
  int64_t position(std::integral auto... index) const {
    int64_t position = 0;
    const int64_t* extent = shape_.begin();
    for (const int64_t i : {int64_t{index}...}) position = position * *extent++ + i;
    return position;
  }

  Shape shape_;
  std::vector<double> values_;
};

/// A result: zeros at first. When it goes out of scope, the tensor gets the nearest numbers of its
/// dtype; integers saturate.
class Result : public Array {
 public:
  Result(Tensor& tensor) : Array(tensor.shape()), tensor_(tensor) {}
  ~Result();
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;

  using Array::operator[], Array::operator();
  double& operator[](int64_t i) { return values_[i]; }
  double& operator()(const Index& index) { return values_[position_in(shape_, index)]; }
  double& operator()(std::integral auto... index) { return values_[position(index...)]; }

 private:
  Tensor& tensor_;
};

/// A result that is the tensor's contents at first.
class Updated : public Result {
 public:
  Updated(Tensor& tensor) : Result(tensor) { load(tensor); }
};

/// Fills an entry of the table with a function that has arrays in the place of tensors.
template <auto kFunction, class... Arguments>
void define(Kernel<void(Arguments...)>& entry) {
  entry = [](Arguments... arguments) { kFunction(arguments...); };
}

// Of elementwise_forward() and elementwise_backward(), for P/Q.
void rational_forward(const RationalProblem& problem, std::span<const Tensor> parameters,
                      const Array& x, Result& y);
void rational_backward(const RationalProblem& problem, std::span<const Tensor> parameters,
                       const Array& x, const Array& dy, Result& dx, std::span<Tensor> gradients);

}  // namespace pade::reference
