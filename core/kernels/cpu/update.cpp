#include <span>
#include <tuple>
#include <utility>

#include <pade/core/kernels/kernels.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Gets the step by value: a copy of its own stays in registers, where the loop's stores cannot
/// change it. `more` are the slots, and the step_scale where there is one.
template <class Step, class T, class... More>
void update_block(Step step, int64_t begin, int64_t end, T* p, const T* gradient, More*... more) {
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) step(p[i], gradient[i], more[i]...);
}

template <template <class> class Step, class T, class Task, size_t... kSlot>
void update_parameter(const Task& task, std::index_sequence<kSlot...>) {
  const Step<T> step(task.update);
  T* p = task.parameter.template mutable_data<T>();
  const T* gradient = task.gradient.template data<T>();
  const T* scale = task.step_scale.defined() ? task.step_scale.template data<T>() : nullptr;
  const auto slots = std::make_tuple(task.slots[kSlot].template mutable_data<T>()...);
  parallel_for(task.parameter.size(), kElementBlock, [&](int64_t begin, int64_t end) {
    if constexpr (Step<T>::kTakesScale)
      if (scale)
        return update_block(step, begin, end, p, gradient, std::get<kSlot>(slots)..., scale);
    update_block(step, begin, end, p, gradient, std::get<kSlot>(slots)...);
  });
}

template <template <class> class Step, class Task>
void update(const char* op, const Task& task) {
  dispatch_floating(task.parameter.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    update_parameter<Step, T>(task, std::make_index_sequence<Step<T>::kSlots>());
  });
}

void sgd_update(std::span<const UpdateTask<SgdUpdate>> tasks) {
  for (const auto& task : tasks)
    task.slots.empty() ? update<SgdStep>("sgd", task) : update<MomentumStep>("sgd", task);
}

void adam_update(std::span<const UpdateTask<AdamUpdate>> tasks) {
  for (const auto& task : tasks) update<AdamStep>("adam", task);
}

}  // namespace

void add_update(Kernels& kernels) {
  kernels.sgd_update = sgd_update;
  kernels.adam_update = adam_update;
}

}  // namespace pade::cpu
