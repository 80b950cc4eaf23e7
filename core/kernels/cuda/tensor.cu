#include <type_traits>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/tensor.h>
#include <pade/core/kernels/cuda/elementwise.cuh>

namespace pade::cuda {
namespace {

template <class T>
struct Constant {
  T value;
  PADE_HD T operator()() const { return value; }
};

template <class T>
struct AddScaled {
  T factor;
  PADE_HD T operator()(T to, T other) const { return to + factor * other; }
};

template <class From, class To>
__global__ void __launch_bounds__(kThreads) convert_kernel(int64_t n, const From* from, To* to) {
  for (int64_t i = first_index(); i < n; i += index_step()) to[i] = pade::convert<To>(from[i]);
}

// ---------------------------------------------------------------------------------- launchers

void fill(Tensor& tensor, double value) {
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    elementwise("fill_", Constant<T>{pade::convert<T>(value)}, tensor.size(),
                tensor.mutable_address<T>());
  });
}

void convert(const Tensor& from, Tensor& to) {
  dispatch(from.dtype(), [&](auto from_zero) {
    dispatch(to.dtype(), [&](auto to_zero) {
      using From = decltype(from_zero);
      using To = decltype(to_zero);
      if constexpr (!std::is_same_v<From, To>)  // that would be a copy
        launch("to", blocks_for(from.size()), convert_kernel<From, To>, from.size(),
               from.address<From>(), to.mutable_address<To>());
    });
  });
}

void add_scaled(Tensor& to, const Tensor& other, double alpha) {
  dispatch_floating(to.dtype(), "add_", [&](auto zero) {
    using T = decltype(zero);
    T* out = to.mutable_address<T>();
    const T* in = other.address<T>();
    elementwise("add_", AddScaled<T>{static_cast<T>(alpha)}, to.size(), out,
                static_cast<const T*>(out), in);
  });
}

}  // namespace

void add_tensor(Kernels& kernels) {
  kernels.fill = fill;
  kernels.convert = convert;
  kernels.add_scaled = add_scaled;
}

}  // namespace pade::cuda
