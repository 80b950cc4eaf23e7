#pragma once

#include <span>
#include <vector>

#include <pade/core/tensor.h>
#include <pade/optim/update_math.h>

namespace pade {

/// What to do (SgdUpdate, AdamUpdate) with one parameter. The tensors have its shape, dtype and
/// device; step_scale is undefined where there is none, and for all that is not Adam's.
template <class Update>
struct UpdateTask {
  Update update;
  Tensor& parameter;
  const Tensor& gradient;
  std::vector<Tensor>& slots;
  const Tensor& step_scale;
};

}  // namespace pade

/// Updates of all parameters, which live on one device, in one pass over them.
namespace pade::cpu {

/// `slots` is empty without momentum.
void sgd_update(std::span<const UpdateTask<SgdUpdate>> tasks);
void adam_update(std::span<const UpdateTask<AdamUpdate>> tasks);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::sgd_update) sgd_update;
decltype(cpu::adam_update) adam_update;

}  // namespace pade::cuda
