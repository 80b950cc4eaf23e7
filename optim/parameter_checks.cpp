#include <cmath>
#include <map>
#include <set>

#include <pade/core/error.h>
#include <pade/core/tape.h>
#include <pade/optim/parameter_checks.h>

namespace pade {
namespace {

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

}  // namespace

void check_rates(const ParameterGroup& group) {
  for (const auto& [rate, value] :
       {std::pair{"learning rate", group.lr}, std::pair{"weight decay", group.weight_decay}})
    check(value >= 0 && std::isfinite(value), "optimizer: the ", rate, " of group \"", group.name,
          "\" is ", value, ", expected a finite number, at least 0");
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

void check_no_overlap(const char* who, const std::vector<std::pair<std::string, Tensor>>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (tensors[i].second.overlaps(tensors[j].second))
        fail(who, ": \"", tensors[j].first, "\" and \"", tensors[i].first,
             "\" share memory, which would be changed twice; clone() one of them");
}

}  // namespace pade
