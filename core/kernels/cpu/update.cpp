#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

template <template <class> class Step, class Task>
void update(const char* op, const Task& task) {
  dispatch_floating(task.parameter.dtype(), op, [&]<class T>(T) {
    T* p = task.parameter.template mutable_data<T>();
    const T* gradient = task.gradient.template data<T>();
    // `more` are the slots, and the step_scale where there is one.
    auto run = [=, size = task.parameter.size(), shared = Step<T>(task.update)](auto*... more) {
      parallel_for(size, kElementBlock, [=](int64_t begin, int64_t end) {
        // A copy of its own stays in registers, where the loop's stores cannot change it.
        const Step<T> step = shared;
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) step(p[i], gradient[i], more[i]...);
      });
    };
    [&]<size_t... kSlot>(std::index_sequence<kSlot...>) {
      if constexpr (Step<T>::kTakesScale)
        if (task.step_scale.defined())
          return run(task.slots[kSlot].template mutable_data<T>()...,
                     task.step_scale.template data<T>());
      run(task.slots[kSlot].template mutable_data<T>()...);
    }
    (std::make_index_sequence<Step<T>::kSlots>());
  });
}

void sgd_update(std::span<const UpdateTask<SgdUpdate>> tasks) {
  for (const auto& task : tasks)
    task.slots.empty() ? update<SgdStep>("sgd", task) : update<MomentumStep>("sgd", task);
}

void adam_update(std::span<const UpdateTask<AdamUpdate>> tasks) {
  for (const auto& task : tasks) update<AdamStep>("adam", task);
}

double sum_of_squares_of(const Tensor& tensor, double factor) {
  std::vector<double> partial(blocks_of(tensor.size(), kElementBlock));
  dispatch_floating(tensor.dtype(), "grad_norm", [&]<class T>(T) {
    const T* values = tensor.data<T>();
    parallel_for(tensor.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      double total = 0;
#pragma omp simd reduction(+ : total)
      for (int64_t i = begin; i < end; ++i) {
        const double value = factor * double{values[i]};
        total += value * value;
      }
      partial[begin / kElementBlock] = total;
    });
  });
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum) {
  sum = 0;
  for (size_t i = 0; i < tensors.size(); ++i) sum += sum_of_squares_of(tensors[i], factors[i]);
}

}  // namespace

void add_update(Kernels& kernels) {
  kernels.sgd_update = sgd_update;
  kernels.adam_update = adam_update;
  kernels.sum_of_squares = sum_of_squares;
}

}  // namespace pade::cpu
