#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/reduce.h>
#include <pade/core/kernels/cuda/reduce_nest.cuh>

namespace pade::cuda {
namespace {

template <class T>
struct Max {
  using Partial = Largest<T>;
  static PADE_HD Partial identity() { return kLargestOfNone<T>; }
  static PADE_HD void add(Partial& best, T value, uint32_t number) {
    best = Max{}(best, {value, static_cast<int32_t>(number)});
  }
  PADE_HD Partial operator()(const Partial& a, const Partial& b) const {
    if (is_above(b.value, a.value)) return b;
    return is_above(a.value, b.value) || a.number <= b.number ? a : b;
  }
};

template <class T>
struct StoreLargest {
  T* values;
  int32_t* numbers;
  __device__ __forceinline__ void operator()(int64_t i, const Largest<T>& largest) const {
    values[i] = largest.value;
    numbers[i] = largest.number;
  }
};

/// Only for numbers in this part of the reduced axes.
template <class T>
__global__ void __launch_bounds__(kThreads)
    max_backward_kernel(LookupNest<1> kept, LookupNest<1> reduced, int32_t first_number,
                        const int32_t* numbers, const T* dy, T* dx) {
  for (int64_t i = first_index(); i < kept.size(); i += index_step()) {
    const uint32_t number = static_cast<uint32_t>(numbers[i] - first_number);
    if (number >= reduced.size()) continue;
    dx[int64_t{kept.at(static_cast<uint32_t>(i)).of[0]} + reduced.at(number).of[0]] = dy[i];
  }
}

// ---------------------------------------------------------------------------------- launchers

void reduce_sum(const Tensor& x, const Shape& kept, double divisor, Tensor& y) {
  const LoopNest nest = loop_over(x.shape(), {x.shape(), kept});
  dispatch_floating(x.dtype(), "sum", [&]<class T>(T) {
    reduce<Sum>("sum", Identity{}, nest, 1, StoreQuotient<T>{y.mutable_address<T>(), divisor},
                x.address<T>());
  });
}

void reduce_max(const Tensor& x, const Shape& kept, Tensor& y, Tensor& number) {
  const LoopNest nest = loop_over(x.shape(), {x.shape(), kept});
  dispatch(x.dtype(), [&]<class T>(T) {
    reduce<Max<T>>("max", Identity{}, nest, 1,
                   StoreLargest<T>{y.mutable_address<T>(), number.mutable_address<int32_t>()},
                   x.address<T>());
  });
}

void reduce_max_backward(const Tensor& number, const Shape& kept, const Tensor& dy, Tensor& dx) {
  const SplitNest split = split_at_target(loop_over(dx.shape(), {dx.shape(), kept}), 1);
  dispatch_floating(dy.dtype(), "max", [&]<class T>(T) {
    T* out = dx.mutable_address<T>();
    for (const auto& [results, at, first] : parts_of(split.kept))
      for (const auto& [reduced, of_part, first_number] : parts_of(split.reduced))
        launch("backward of max", blocks_for(results.size()), max_backward_kernel<T>,
               LookupNest<1>(results), LookupNest<1>(reduced), static_cast<int32_t>(first_number),
               number.address<int32_t>() + first, dy.address<T>() + first,
               out + at[0] + of_part[0]);
  });
}

}  // namespace

void add_reduce(Kernels& kernels) {
  kernels.reduce_sum = reduce_sum;
  kernels.reduce_max = reduce_max;
  kernels.reduce_max_backward = reduce_max_backward;
}

}  // namespace pade::cuda
