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
  check(group.lr >= 0 && std::isfinite(group.lr), "optimizer: the learning rate of group \"",
        group.name, "\" is ", group.lr, ", expected a finite number, at least 0");
  check(group.weight_decay >= 0 && std::isfinite(group.weight_decay),
        "optimizer: the weight decay of group \"", group.name, "\" is ", group.weight_decay,
        ", expected a finite number, at least 0");
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
  const Parameter* first = nullptr;
  std::set<std::string> names;
  std::map<const Tensor*, std::string> name_of_leaf;  // by the one gradient that its handles share
  for (const ParameterGroup& group : groups) {
    check_rates(group);
    for (const Parameter& parameter : group.parameters) {
      const std::string& name = parameter.name;
      const Tensor& tensor = parameter.tensor;
      check(tensor.defined() && tensor.requires_grad(), "optimizer: parameter \"", name,
            "\" is not a leaf that requires a gradient");
      check(names.insert(name).second, "optimizer: there are two parameters named \"", name, "\"");
      const auto [earlier, is_new] = name_of_leaf.try_emplace(&tensor.grad(), name);
      check(is_new, "optimizer: \"", earlier->second, "\" and \"", name,
            "\" are one and the same parameter");
      if (!first) first = &parameter;
      check(tensor.device() == first->tensor.device(), "optimizer: expected all parameters on one ",
            "device, got \"", first->name, "\" on ", first->tensor.device(), " and \"", name,
            "\" on ", tensor.device());
      check_step_scale(parameter);
    }
  }
  check(!names.empty(), "optimizer: there are no parameters to optimise");
  std::vector<std::pair<std::string, Tensor>> changed;
  for (const ParameterGroup& group : groups)
    for (const Parameter& parameter : group.parameters)
      changed.emplace_back(parameter.name, parameter.tensor);
  check_no_overlap("optimizer", changed);
}

constexpr double kWarmUp = 20;  // of UpdateRule::coefficients

/// How many modules they belong to: the names of one's parameters differ behind the last dot.
int64_t modules_of(const std::vector<Parameter>& parameters) {
  std::set<std::string> paths;
  for (const Parameter& parameter : parameters)
    paths.insert(parameter.name.substr(0, parameter.name.rfind('.') + 1));
  return static_cast<int64_t>(paths.size());
}

void check_gradients(std::span<const ParameterUpdate> updates) {
  for (const ParameterUpdate& update : updates)
    if (!update.gradient.is_only_handle())
      for (const ParameterUpdate& other : updates)
        check(!update.gradient.overlaps(other.parameter), "step: a gradient of shape ",
              update.gradient.shape(), " is in the memory of another parameter, which this step ",
              "changes, too; clone() it");
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
  for (const ParameterGroup& group : groups_)
    for (const Parameter& parameter : group.parameters) {
      Memory& memory = memories_.emplace_back(Memory{Tensor::zeros({1}, DType::int32), {}});
      for (size_t slot = 0; slot < slot_names(group.rule).size(); ++slot)
        memory.slots.push_back(Tensor::zeros_like(parameter.tensor));
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
  const Tensor no_scale;
  std::vector<ParameterUpdate> updates;  // the own rule's first
  std::vector<Tensor*> steps;
  size_t own = 0;  // how many those are
  for (const UpdateRule rule : {UpdateRule::own, UpdateRule::coefficients}) {
    size_t index = 0;
    for (ParameterGroup& group : groups_)
      for (Parameter& parameter : group.parameters) {
        Memory& memory = memories_[index++];
        Tensor& tensor = parameter.tensor;
        if (group.rule != rule || !tensor.has_fresh_grad()) continue;
        updates.push_back({tensor, tensor.grad(), memory.slots, group.lr * lr_factor_,
                           group.weight_decay, *memory.steps.data<int32_t>() + 1,
                           rule == UpdateRule::own ? no_scale : parameter.step_scale});
        steps.push_back(&memory.steps);
      }
    if (rule == UpdateRule::own) own = updates.size();
  }
  check(!updates.empty(), "step: no gradient was set since the last step() for any of the ",
        memories_.size(),
        " parameters of this optimiser. Was backward() called? Was the optimiser ",
        "made before network.to(…) or replace(), which give the network other parameters? Make it ",
        "afterwards. Or are all of its parameters frozen?");
  check_gradients(updates);
  const std::span<const ParameterUpdate> all(updates);
  const auto tasks = adam_tasks(
      all.subspan(own), {.warm_up = kWarmUp});  // before anything is changed: memory may run out
  if (own > 0) apply(all.first(own));
  if (!tasks.empty()) kernels_of(updates[own].parameter).adam_update(tasks);
  for (size_t i = 0; i < updates.size(); ++i) {
    ++*steps[i]->mutable_data<int32_t>();
    updates[i].parameter.mark_grad_used();
  }
}

std::vector<std::pair<std::string, Tensor>> Optimizer::state() const {
  std::vector<std::pair<std::string, Tensor>> state;
  size_t index = 0;
  for (const ParameterGroup& group : groups_)
    for (const Parameter& parameter : group.parameters) {
      const Memory& memory = memories_[index++];
      state.emplace_back("steps." + parameter.name, memory.steps);
      const std::vector<std::string>& names = slot_names(group.rule);
      for (size_t slot = 0; slot < names.size(); ++slot)
        state.emplace_back(names[slot] + "." + parameter.name, memory.slots[slot]);
    }
  return state;
}

}  // namespace pade
