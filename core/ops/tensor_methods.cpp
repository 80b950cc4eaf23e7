#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/matmul.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/ops/reduce.h>

namespace pade {

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
