#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/tensor_list.cuh>

namespace pade::cuda {
namespace {

template <class Step, class T>
struct Item {
  static constexpr int kSize = kPackSize<T>, kPacks = 1;
  T* p;
  const T* gradient;
  const T* scale;  // or null
  std::array<T*, Step::kSlots> slots;
  int64_t size;
  int step;
  bool packed;
};

/// A rate and a decay for each group, and other corrections for parameters that joined late: a few
/// steps serve all parameters.
constexpr int kMaxSteps = 8;

template <class Step, class T>
struct UpdateList {
  TensorList<Item<Step, T>> tensors;
  Step steps[kMaxSteps];
};

/// kCount neighbouring elements, all with the scale if there is one.
template <int kCount, class Step, class T, size_t... kSlot, class... Scale>
__device__ __forceinline__ void update_pack(const Step& step, const Item<Step, T>& item, int64_t i,
                                            std::index_sequence<kSlot...>, Scale... scale) {
  auto p = load_pack<kCount>(item.p + i);
  const auto gradient = load_pack<kCount>(item.gradient + i);
  std::array<Pack<T, kCount>, sizeof...(kSlot)> slots{load_pack<kCount>(item.slots[kSlot] + i)...};
#pragma unroll
  for (int k = 0; k < kCount; ++k)
    step(p.values[k], gradient.values[k], slots[kSlot].values[k]..., scale...);
  store_pack(item.p + i, p);
  (store_pack(item.slots[kSlot] + i, slots[kSlot]), ...);
}

/// One block per piece.
template <class Step, class T>
__global__ void __launch_bounds__(kThreads)
    update_kernel(const __grid_constant__ UpdateList<Step, T> list) {
  constexpr auto kSlots = std::make_index_sequence<Step::kSlots>();
  constexpr int kSize = kPackSize<T>;
  const int number = list.tensors.item_of(blockIdx.x);
  const Item<Step, T>& item = list.tensors.items[number];
  const Step step = list.steps[item.step];
  const int64_t begin = list.tensors.begin_of(blockIdx.x, number);
  if constexpr (Step::kTakesScale)
    if (item.scale) {  // a few coefficients: one element at a time is enough
#pragma unroll 1
      for (int k = 0; k < kSize; ++k) {
        const int64_t i = begin + k * kThreads + threadIdx.x;
        if (i < item.size) update_pack<1>(step, item, i, kSlots, item.scale[i]);
      }
      return;
    }
  const int64_t pack = begin + threadIdx.x * kSize;
  if (item.packed && pack + kSize <= item.size) return update_pack<kSize>(step, item, pack, kSlots);
#pragma unroll
  for (int k = 0; k < kSize; ++k) {
    const int64_t i = item.packed ? pack + k : begin + k * kThreads + threadIdx.x;
    if (i < item.size) update_pack<1>(step, item, i, kSlots);
  }
}

template <class Step, class T, class Task>
Item<Step, T> item_of(const Task& task, int step) {
  Item<Step, T> item{};
  item.p = task.parameter.template mutable_address<T>();
  item.gradient = task.gradient.template address<T>();
  if (task.step_scale.defined()) item.scale = task.step_scale.template address<T>();
  item.size = task.parameter.size();
  item.step = step;
  item.packed = is_pack_aligned(item.p, item.gradient);
  for (int slot = 0; slot < Step::kSlots; ++slot) {
    item.slots[slot] = task.slots[slot].template mutable_address<T>();
    item.packed = item.packed && is_pack_aligned(item.slots[slot]);
  }
  return item;
}

/// One launch for all parameters of type T, or several where there are more than fit.
template <class Step, class T, class Update>
void update_all_of(const char* op, std::span<const UpdateTask<Update>> tasks) {
  UpdateList<Step, T> list;
  static_assert(sizeof(list) <= 4096);
  std::vector<Update> updates;  // what list.steps were made of
  auto launch_list = [&] {
    launch(op, static_cast<unsigned>(list.tensors.pieces), update_kernel<Step, T>, list);
    list.tensors = {};
    updates.clear();
  };
  for (const auto& task : tasks) {
    if (task.parameter.dtype() != dtype_of<T>() || task.parameter.size() == 0) continue;
    auto update = std::find(updates.begin(), updates.end(), task.update);
    if (list.tensors.is_full() || (update == updates.end() && updates.size() == kMaxSteps)) {
      launch_list();
      update = updates.end();
    }
    if (update == updates.end()) {
      list.steps[updates.size()] = Step(task.update);
      update = updates.insert(updates.end(), task.update);
    }
    list.tensors.add(item_of<Step, T>(task, static_cast<int>(update - updates.begin())));
  }
  launch_list();
}

template <template <class> class Step, class Update>
void update_all(const char* op, std::span<const UpdateTask<Update>> tasks) {
  update_all_of<Step<float>, float>(op, tasks);
  update_all_of<Step<double>, double>(op, tasks);
}

// ---------------------------------------------------------------------------------- launchers

void sgd_update(std::span<const UpdateTask<SgdUpdate>> tasks) {
  const bool has_momentum = !tasks.empty() && !tasks[0].slots.empty();
  has_momentum ? update_all<MomentumStep>("sgd", tasks) : update_all<SgdStep>("sgd", tasks);
}

void adam_update(std::span<const UpdateTask<AdamUpdate>> tasks) {
  update_all<AdamStep>("adam", tasks);
}

}  // namespace

void add_update(Kernels& kernels) {
  kernels.sgd_update = sgd_update;
  kernels.adam_update = adam_update;
}

}  // namespace pade::cuda
