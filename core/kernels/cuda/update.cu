#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/reduce.cuh>
#include <pade/core/kernels/cuda/tensor_list.cuh>

namespace pade::cuda {
namespace {

template <class Step, class T>
struct Item {
  static constexpr int kSize = kPackSize<T>, kPacks = 1;
  T* p;
  const T* gradient;
  const T* scale;  // or null; with one, elements go one by one: these are a few coefficients
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
  for_piece(list.tensors, blockIdx.x, [&](auto count, const Item<Step, T>& item, int64_t i) {
    constexpr auto kSlots = std::make_index_sequence<Step::kSlots>();
    const Step step = list.steps[item.step];
    if constexpr (Step::kTakesScale && count.value == 1)
      if (item.scale) return update_pack<1>(step, item, i, kSlots, item.scale[i]);
    update_pack<count.value>(step, item, i, kSlots);
  });
}

/// partials[block] = Σ (factor · x)² over the pieces that this block takes.
template <class T>
__global__ void __launch_bounds__(kThreads)
    sum_of_squares_kernel(const __grid_constant__ TensorList<Factored<const T>> list,
                          double* partials) {
  double sum = 0;
  for (int piece = blockIdx.x; piece < list.pieces; piece += gridDim.x)
    for_piece(list, piece, [&](auto count, const Factored<const T>& item, int64_t i) {
      const auto pack = load_pack<count.value>(item.values + i);
#pragma unroll
      for (double value : pack.values) {
        value *= item.factor;
        sum += value * value;
      }
    });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

template <class Step, class T, class Task>
Item<Step, T> item_of(const Task& task, int step) {
  Item<Step, T> item{};
  item.p = task.parameter.template mutable_address<T>();
  item.gradient = task.gradient.template address<T>();
  if (task.step_scale.defined()) item.scale = task.step_scale.template address<T>();
  item.size = task.parameter.size();
  item.step = step;
  item.packed = !item.scale && is_pack_aligned(item.p, item.gradient);
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

void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum) {
  const int64_t lists = blocks_of(tensors.size(), TensorList<Factored<const float>>::kCapacity) + 1;
  Tensor partials = partial_sums(lists, kMaxBlocks), total = partial_sums(1, 1);
  double* const begin = partials.mutable_address<double>();
  double* to = begin;
  auto item_of = [&]<class T>(T, size_t i) {
    return Factored<const T>(tensors[i].address<T>(), factors[i], tensors[i].size());
  };
  for_each_list(tensors, item_of, [&]<class T>(const TensorList<Factored<const T>>& list) {
    const unsigned blocks = blocks_for(list.pieces, 1);
    launch("grad_norm", blocks, sum_of_squares_kernel<T>, list, to);
    to += blocks;
  });
  sum_partials("grad_norm", begin, 1, to - begin,
               StoreSum<double>{total.mutable_address<double>()});
  sum = total.item();
}

}  // namespace

void add_update(Kernels& kernels) {
  kernels.sgd_update = sgd_update;
  kernels.adam_update = adam_update;
  kernels.sum_of_squares = sum_of_squares;
}

}  // namespace pade::cuda
