#include <algorithm>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/tensor.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

void fill(Tensor& tensor, double value) {
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* out = tensor.mutable_data<T>();
    const T filler = pade::convert<T>(value);
    parallel_for(tensor.size(), kElementBlock,
                 [&](int64_t begin, int64_t end) { std::fill(out + begin, out + end, filler); });
  });
}

void convert(const Tensor& from, Tensor& to) {
  dispatch(from.dtype(), [&](auto from_zero) {
    dispatch(to.dtype(), [&](auto to_zero) {
      using To = decltype(to_zero);
      const auto* in = from.data<decltype(from_zero)>();
      To* out = to.mutable_data<To>();
      parallel_for(from.size(), kElementBlock, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) out[i] = pade::convert<To>(in[i]);
      });
    });
  });
}

void add_scaled(Tensor& to, const Tensor& other, double alpha) {
  dispatch_floating(to.dtype(), "add_", [&](auto zero) {
    using T = decltype(zero);
    const T* in = other.data<T>();
    T* out = to.mutable_data<T>();
    const T factor = static_cast<T>(alpha);
    parallel_for(to.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] += factor * in[i];
    });
  });
}

void scale(Tensor& tensor, double factor) {
  dispatch_floating(tensor.dtype(), "mul_", [&](auto zero) {
    using T = decltype(zero);
    T* out = tensor.mutable_data<T>();
    const T by = static_cast<T>(factor);
    parallel_for(tensor.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] *= by;
    });
  });
}

}  // namespace

void add_tensor(Kernels& kernels) {
  kernels.fill = fill;
  kernels.convert = convert;
  kernels.add_scaled = add_scaled;
  kernels.scale = scale;
}

}  // namespace pade::cpu
