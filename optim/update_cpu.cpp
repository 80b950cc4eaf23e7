#include <pade/core/parallel.h>
#include <pade/optim/update_kernels.h>

namespace pade::cpu {
namespace {

// Blocks get the step by value: a copy of their own stays in registers, where the loops' stores
// cannot change it.

template <class T>
void sgd_block(SgdStep<T> step, T* p, const T* gradient, int64_t begin, int64_t end) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) step.without_momentum(p[i], gradient[i]);
}

template <class T>
void momentum_block(SgdStep<T> step, T* p, const T* gradient, T* buffer, int64_t begin,
                    int64_t end) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) step.with_momentum(p[i], gradient[i], buffer[i]);
}

template <class T>
void adam_block(AdamStep<T> step, T* p, const T* gradient, T* first, T* second, int64_t begin,
                int64_t end) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) step(p[i], gradient[i], first[i], second[i]);
}

}  // namespace

void sgd_update(const SgdUpdate& update, Tensor& p, const Tensor& gradient, Tensor buffer) {
  dispatch_floating(p.dtype(), "sgd", [&](auto zero) {
    using T = decltype(zero);
    const SgdStep<T> step(update);
    T* weights = p.mutable_data<T>();
    const T* slopes = gradient.data<T>();
    T* buffers = buffer.defined() ? buffer.mutable_data<T>() : nullptr;
    parallel_for(p.size(), kElementBlock, [=](int64_t begin, int64_t end) {
      if (buffers)
        momentum_block(step, weights, slopes, buffers, begin, end);
      else
        sgd_block(step, weights, slopes, begin, end);
    });
  });
}

void adam_update(const AdamUpdate& update, Tensor& p, const Tensor& gradient, Tensor& first,
                 Tensor& second) {
  dispatch_floating(p.dtype(), "adam", [&](auto zero) {
    using T = decltype(zero);
    const AdamStep<T> step(update);
    T* weights = p.mutable_data<T>();
    const T* slopes = gradient.data<T>();
    T* firsts = first.mutable_data<T>();
    T* seconds = second.mutable_data<T>();
    parallel_for(p.size(), kElementBlock, [=](int64_t begin, int64_t end) {
      adam_block(step, weights, slopes, firsts, seconds, begin, end);
    });
  });
}

}  // namespace pade::cpu
