#include <cmath>

#include <pade/core/parallel.h>
#include <pade/optim/update_kernels.h>

namespace pade::cpu {

void sgd_update(const SgdUpdate& update, Tensor& p, const Tensor& gradient, Tensor buffer) {
  dispatch_floating(p.dtype(), "sgd", [&](auto zero) {
    using T = decltype(zero);
    const T lr = static_cast<T>(update.lr), momentum = static_cast<T>(update.momentum),
            decay = static_cast<T>(update.weight_decay);
    T* weight = p.mutable_data<T>();
    const T* slope = gradient.data<T>();
    if (!buffer.defined()) {
      parallel_for(p.size(), kElementBlock, [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) weight[i] -= lr * (slope[i] + decay * weight[i]);
      });
      return;
    }
    T* speed = buffer.mutable_data<T>();
    const T own = update.nesterov ? T{1} : T{0}, carried = update.nesterov ? momentum : T{1};
    parallel_for(p.size(), kElementBlock, [=](int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) {
        const T g = slope[i] + decay * weight[i];
        speed[i] = momentum * speed[i] + g;
        weight[i] -= lr * (own * g + carried * speed[i]);
      }
    });
  });
}

void adam_update(const AdamUpdate& update, Tensor& p, const Tensor& gradient, Tensor& first,
                 Tensor& second) {
  dispatch_floating(p.dtype(), "adam", [&](auto zero) {
    using T = decltype(zero);
    const T beta1 = static_cast<T>(update.beta1), beta2 = static_cast<T>(update.beta2),
            rest1 = static_cast<T>(1 - update.beta1), rest2 = static_cast<T>(1 - update.beta2),
            eps = static_cast<T>(update.eps), lr = static_cast<T>(update.lr / update.correction1),
            root_scale = static_cast<T>(1 / std::sqrt(update.correction2)),
            coupled = static_cast<T>(update.decoupled ? 0 : update.weight_decay),
            kept = static_cast<T>(update.decoupled ? 1 - update.lr * update.weight_decay : 1);
    T* weight = p.mutable_data<T>();
    T* mean = first.mutable_data<T>();
    T* square = second.mutable_data<T>();
    const T* slope = gradient.data<T>();
    parallel_for(p.size(), kElementBlock, [=](int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) {
        const T g = slope[i] + coupled * weight[i];
        mean[i] = beta1 * mean[i] + rest1 * g;
        square[i] = beta2 * square[i] + rest2 * g * g;
        weight[i] = kept * weight[i] - lr * mean[i] / (std::sqrt(square[i]) * root_scale + eps);
      }
    });
  });
}

}  // namespace pade::cpu
