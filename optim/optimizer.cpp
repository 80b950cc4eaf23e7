#include <algorithm>
#include <cmath>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/tape.h>
#include <pade/optim/adam_rule.h>
#include <pade/optim/optimizer.h>
#include <pade/optim/parameter_checks.h>

namespace pade {

Optimizer::Optimizer(std::vector<ParameterGroup> groups, std::vector<std::string> slots)
    : groups_(std::move(groups)), own_slot_names_(std::move(slots)) {
  check_groups(groups_);
  for (ParameterGroup& group : groups_)
    for (Parameter& parameter : group.parameters) {
      entries_.push_back({group, parameter, Tensor::zeros({1}, DType::int32), {}});
      for (size_t slot = 0; slot < slot_names(group.rule).size(); ++slot)
        entries_.back().slots.push_back(Tensor::zeros_like(parameter.tensor));
    }
}

const std::vector<std::string>& Optimizer::slot_names(UpdateRule rule) const {
  return rule == UpdateRule::own ? own_slot_names_ : adam_slot_names();
}

void Optimizer::set_lr_factor(double factor) {
  check(factor >= 0 && std::isfinite(factor), "set_lr_factor: expected a finite number, at least ",
        "0, got ", factor);
  lr_factor_ = factor;
}

void Optimizer::step() {
  bad_alloc_as_error([this] { update_parameters(); });
}

void Optimizer::update_parameters() {
  const NoGrad no_grad;
  constexpr double kWarmUp = 20;  // of UpdateRule::coefficients
  const Tensor no_scale;
  std::vector<ParameterUpdate> own, coefficients;
  std::vector<Entry*> updated;
  for (Entry& entry : entries_) {
    Tensor& tensor = entry.parameter.tensor;
    if (!tensor.has_fresh_grad()) continue;
    updated.push_back(&entry);
    const int64_t step = *entry.steps.data<int32_t>() + 1;
    const double lr = entry.group.lr * lr_factor_, decay = entry.group.weight_decay;
    if (entry.group.rule == UpdateRule::own)
      own.push_back({tensor, tensor.grad(), entry.slots, lr, decay, step, no_scale});
    else
      coefficients.push_back({tensor, tensor.grad(), entry.slots,
                              lr * std::min(1.0, static_cast<double>(step) / kWarmUp), decay, step,
                              entry.parameter.step_scale});
  }
  check(!updated.empty(), "step: no gradient was set since the last step() for any of the ",
        entries_.size(), " parameters of this optimiser. Was backward() called? Was the optimiser ",
        "made before network.to(…) or replace(), which give the network other parameters? Make it ",
        "afterwards. Or are all of its parameters frozen?");
  for (const Entry* entry : updated) {
    const Tensor& gradient = entry->parameter.tensor.grad();
    if (gradient.is_only_handle()) continue;
    for (const Entry* other : updated)
      check(!gradient.overlaps(other->parameter.tensor), "step: a gradient of shape ",
            gradient.shape(), " is in the memory of another parameter, which this step changes, ",
            "too; clone() it");
  }
  const auto tasks =
      adam_tasks(coefficients, {}, false);  // before any change, as memory may run out
  if (!own.empty()) apply(own);
  if (!tasks.empty()) kernels_of(coefficients[0].parameter).adam_update(tasks);
  for (Entry* entry : updated) {
    ++*entry->steps.mutable_data<int32_t>();
    entry->parameter.tensor.mark_grad_used();
  }
}

std::vector<std::pair<std::string, Tensor>> Optimizer::state() const {
  std::vector<std::pair<std::string, Tensor>> state;
  for (const Entry& entry : entries_) {
    state.emplace_back("steps." + entry.parameter.name, entry.steps);
    const std::vector<std::string>& names = slot_names(entry.group.rule);
    for (size_t slot = 0; slot < names.size(); ++slot)
      state.emplace_back(names[slot] + "." + entry.parameter.name, entry.slots[slot]);
  }
  return state;
}

}  // namespace pade
