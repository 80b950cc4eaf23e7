#include <algorithm>
#include <span>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/matmul.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/tape.h>

/// Tensor's methods that a tape records: views and copies, and those that functions of core/ops
/// are.
namespace pade {

Tensor Tensor::reshape(std::initializer_list<int64_t> extents) const {
  check_defined("reshape", {{"the tensor", *this}});
  const auto unknown = std::count(extents.begin(), extents.end(), -1);
  if (unknown == 0) return reshape(Shape(extents));
  check(unknown == 1, "reshape: only one extent can be inferred, got ", unknown);
  std::vector<int64_t> known(extents);
  int64_t& inferred = *std::find(known.begin(), known.end(), -1);
  inferred = 1;
  const int64_t others = Shape(std::span<const int64_t>(known)).size();
  check(others > 0 && size() % others == 0, "reshape: ", shape_, " has ", size(),
        " elements, which is not a multiple of ", others);
  inferred = size() / others;
  return reshape(Shape(std::span<const int64_t>(known)));
}

Tensor Tensor::reshape(const Shape& shape) const {
  check_defined("reshape", {{"the tensor", *this}});
  check(shape.size() == size(), "reshape: ", shape_, " has ", size(), " elements, ", shape, " has ",
        shape.size());
  Tensor result(storage_, offset_, shape, dtype_);
  record("reshape", {this}, result, {}, [from = shape_](Gradients& gradients) {
    gradients.set(0, gradients.of_output().reshape(from));
  });
  return result;
}

Tensor Tensor::slice(int64_t begin, int64_t end) const {
  check_defined("slice", {{"the tensor", *this}});
  check(rank() >= 1, "slice: a tensor of rank 0 has no axis to slice");
  check(0 <= begin && begin <= end && end <= shape_[0], "slice: [", begin, ", ", end,
        ") is out of range for shape ", shape_);
  const int64_t row_bytes = shape_.size_from(1) * static_cast<int64_t>(size_of(dtype_));
  Tensor result(storage_, offset_ + begin * row_bytes, shape_.with(0, end - begin), dtype_);
  record("slice", {this}, result, {}, [from = shape_, begin, end](Gradients& gradients) {
    const Tensor& of_rows = gradients.of_output();
    Tensor gradient = Tensor::zeros(from, of_rows.dtype(), of_rows.device());
    gradient.slice(begin, end).copy_(of_rows);
    gradients.set(0, gradient);
  });
  return result;
}

Tensor Tensor::operator[](int64_t index) const {
  check_defined("operator[]", {{"the tensor", *this}});
  check(rank() >= 1, "operator[]: a tensor of rank 0 has no axis to index");
  const int64_t resolved = index < 0 ? index + shape_[0] : index;
  check(resolved >= 0 && resolved < shape_[0], "operator[]: index ", index,
        " is out of range for shape ", shape_);
  return slice(resolved, resolved + 1).reshape(Shape(std::span(shape_.begin() + 1, shape_.end())));
}

Tensor Tensor::to(DType dtype) const {
  check_defined("to", {{"the tensor", *this}});
  if (dtype == dtype_) return *this;
  Tensor result = empty(shape_, dtype, device());
  kernels_of(result).convert(*this, result);
  if (is_floating(dtype) && is_floating(dtype_)) {
    record("to", {this}, result, {}, [from = dtype_](Gradients& gradients) {
      gradients.set(0, gradients.of_output().to(from));
    });
  }
  return result;
}

Tensor Tensor::to(Device device) const {
  check_defined("to", {{"the tensor", *this}});
  return device == this->device() ? *this : copied_to(device, "to");
}

Tensor Tensor::clone() const {
  check_defined("clone", {{"the tensor", *this}});
  return copied_to(device(), "clone");
}

Tensor Tensor::copied_to(Device device, const char* op) const {
  Tensor result = empty(shape_, dtype_, device);
  result.copy_(*this);
  record(op, {this}, result, {}, [from = this->device()](Gradients& gradients) {
    gradients.set(0, gradients.of_output().to(from));
  });
  return result;
}

Tensor Tensor::sum() const { return pade::sum(*this); }
Tensor Tensor::sum(std::initializer_list<int> axes, bool keepdim) const {
  return pade::sum(*this, axes, keepdim);
}
Tensor Tensor::mean() const { return pade::mean(*this); }
Tensor Tensor::mean(std::initializer_list<int> axes, bool keepdim) const {
  return pade::mean(*this, axes, keepdim);
}
Tensor Tensor::max() const { return pade::max(*this); }
Tensor Tensor::max(std::initializer_list<int> axes, bool keepdim) const {
  return pade::max(*this, axes, keepdim);
}
Tensor Tensor::min() const { return pade::min(*this); }
Tensor Tensor::min(std::initializer_list<int> axes, bool keepdim) const {
  return pade::min(*this, axes, keepdim);
}
Tensor Tensor::argmax(int axis, bool keepdim) const { return pade::argmax(*this, axis, keepdim); }
Tensor Tensor::abs() const { return pade::abs(*this); }
Tensor Tensor::exp() const { return pade::exp(*this); }
Tensor Tensor::log() const { return pade::log(*this); }
Tensor Tensor::sqrt() const { return pade::sqrt(*this); }
Tensor Tensor::pow(double exponent) const { return power(*this, exponent); }
Tensor Tensor::relu() const { return pade::relu(*this); }
Tensor Tensor::tanh() const { return pade::tanh(*this); }
Tensor Tensor::sigmoid() const { return pade::sigmoid(*this); }
Tensor Tensor::matmul(const Tensor& other) const { return pade::matmul(*this, other); }
Tensor Tensor::transpose(int axis0, int axis1) const {
  return pade::transpose(*this, axis0, axis1);
}

}  // namespace pade
