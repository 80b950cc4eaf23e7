#include <set>

#include <pade/core/error.h>
#include <pade/core/tape.h>
#include <pade/optim/optimizer.h>

namespace pade {
namespace {

void check_groups(const std::vector<ParameterGroup>& groups) {
  std::set<std::string> names;
  for (const ParameterGroup& group : groups) {
    check(group.lr >= 0, "optimizer: the learning rate of group \"", group.name, "\" is ", group.lr,
          ", expected at least 0");
    check(group.weight_decay >= 0, "optimizer: the weight decay of group \"", group.name, "\" is ",
          group.weight_decay, ", expected at least 0");
    for (const Parameter& parameter : group.parameters) {
      check(parameter.tensor.defined() && parameter.tensor.requires_grad(), "optimizer: parameter \"",
            parameter.name, "\" requires no gradient");
      check(names.insert(parameter.name).second, "optimizer: there are two parameters named \"",
            parameter.name, "\"");
    }
  }
  check(!names.empty(), "optimizer: there are no parameters to optimise");
}

}  // namespace

std::vector<ParameterGroup> default_groups(const std::vector<Parameter>& parameters, double lr,
                                           double weight_decay, double activation_lr) {
  ParameterGroup weights{"weights", {}, lr, weight_decay};
  ParameterGroup activations{"activations", {}, activation_lr, 0};
  for (const Parameter& parameter : parameters)
    (parameter.role == ParameterRole::activation ? activations : weights).parameters.push_back(parameter);
  std::vector<ParameterGroup> groups;
  for (ParameterGroup& group : std::vector{weights, activations})
    if (!group.parameters.empty()) groups.push_back(std::move(group));
  return groups;
}

Optimizer::Optimizer(std::vector<ParameterGroup> groups, std::vector<std::string> slots)
    : groups_(std::move(groups)), slot_names_(std::move(slots)),
      steps_(Tensor::zeros({1}, DType::int32)) {
  check_groups(groups_);
  for (const ParameterGroup& group : groups_)
    for (const Parameter& parameter : group.parameters) {
      std::vector<Tensor>& of_parameter = slots_.emplace_back();
      for (size_t slot = 0; slot < slot_names_.size(); ++slot)
        of_parameter.push_back(Tensor::zeros_like(parameter.tensor));
    }
}

void Optimizer::step() {
  const NoGrad no_grad;
  const int32_t step = ++*steps_.mutable_data<int32_t>();
  size_t index = 0;
  for (ParameterGroup& group : groups_)
    for (Parameter& parameter : group.parameters) {
      std::vector<Tensor>& slots = slots_[index++];
      Tensor& tensor = parameter.tensor;
      if (!tensor.has_fresh_grad()) continue;
      apply({tensor, tensor.grad(), slots, group.lr * lr_factor_, group.weight_decay, step});
      tensor.mark_grad_used();
    }
}

std::vector<std::pair<std::string, Tensor>> Optimizer::state() const {
  std::vector<std::pair<std::string, Tensor>> state{{"steps", steps_}};
  size_t index = 0;
  for (const ParameterGroup& group : groups_)
    for (const Parameter& parameter : group.parameters) {
      for (size_t slot = 0; slot < slot_names_.size(); ++slot)
        state.emplace_back(slot_names_[slot] + "." + parameter.name, slots_[index][slot]);
      ++index;
    }
  return state;
}

}  // namespace pade
