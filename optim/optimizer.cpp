#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/tape.h>
#include <pade/optim/adam_rule.h>
#include <pade/optim/optimizer.h>
#include <pade/optim/overlap.h>

namespace pade {
namespace {

void check_rates(const ParameterGroup& group) {
  for (const auto& [rate, value] :
       {std::pair{"learning rate", group.lr}, std::pair{"weight decay", group.weight_decay}})
    check(value >= 0 && std::isfinite(value), "optimizer: the ", rate, " of group \"", group.name,
          "\" is ", value, ", expected a finite number, at least 0");
}

void check_step_scale(const Parameter& parameter) {
  const Tensor& scale = parameter.step_scale;
  if (!scale.defined()) return;
  const Tensor& tensor = parameter.tensor;
  check(scale.shape() == tensor.shape() && scale.dtype() == tensor.dtype() &&
            scale.device() == tensor.device(),
        "optimizer: expected the step_scale of \"", parameter.name, "\" to be ", tensor.dtype(),
        ' ', to_string(tensor.shape()), " on ", tensor.device(), " as the parameter is, got ",
        scale.dtype(), ' ', to_string(scale.shape()), " on ", scale.device());
  for (const double value : scale.to(Device::cpu).to(DType::float64).to_vector<double>())
    check(value > 0 && std::isfinite(value), "optimizer: the step_scale of \"", parameter.name,
          "\" has a ", value, ", expected finite numbers above 0");
}

void check_groups(const std::vector<ParameterGroup>& groups) {
  const NoGrad no_grad;  // so that only leaves require a gradient, and no results on a tape
  std::vector<std::pair<std::string, Tensor>> all;
  std::set<std::string> names;
  std::map<const Tensor*, std::string> name_of_leaf;  // by the one gradient that its handles share
  for (const ParameterGroup& group : groups) {
    check_rates(group);
    for (const Parameter& parameter : group.parameters) {
      const auto& [name, tensor, role, step_scale] = parameter;
      check(tensor.defined() && tensor.requires_grad(), "optimizer: parameter \"", name,
            "\" is not a leaf that requires a gradient");
      check(names.insert(name).second, "optimizer: there are two parameters named \"", name, "\"");
      const auto [earlier, is_new] = name_of_leaf.try_emplace(&tensor.grad(), name);
      check(is_new, "optimizer: \"", earlier->second, "\" and \"", name,
            "\" are one and the same parameter");
      all.emplace_back(name, tensor);
      const auto& [first_name, first] = all.front();
      check(tensor.device() == first.device(), "optimizer: expected all parameters on one device, ",
            "got \"", first_name, "\" on ", first.device(), " and \"", name, "\" on ",
            tensor.device());
      check_step_scale(parameter);
    }
  }
  check(!all.empty(), "optimizer: there are no parameters to optimise");
  check_no_overlap("optimizer", all);
}

/// How many modules they belong to: the names of one's parameters differ behind the last dot.
int64_t modules_of(const std::vector<Parameter>& parameters) {
  std::set<std::string> paths;
  for (const Parameter& parameter : parameters)
    paths.insert(parameter.name.substr(0, parameter.name.rfind('.') + 1));
  return static_cast<int64_t>(paths.size());
}

}  // namespace

std::vector<ParameterGroup> default_groups(const std::vector<Parameter>& parameters, double lr,
                                           double weight_decay,
                                           std::optional<double> activation_lr) {
  ParameterGroup weights{"weights", {}, lr, weight_decay};
  ParameterGroup activations{"activations", {}, 0, 0, UpdateRule::coefficients};
  for (const Parameter& parameter : parameters) {
    const bool of_activation = parameter.role == ParameterRole::activation;
    (of_activation ? activations : weights).parameters.push_back(parameter);
  }
  const int64_t layers = std::max<int64_t>(modules_of(activations.parameters), 1);
  activations.lr = activation_lr.value_or(kActivationLr / std::sqrt(layers));
  std::vector<ParameterGroup> groups;
  for (ParameterGroup* group : {&weights, &activations}) {
    check_rates(*group);
    if (!group->parameters.empty()) groups.push_back(std::move(*group));
  }
  return groups;
}

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
