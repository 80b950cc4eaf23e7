#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <pade/core/error.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/parameter_checks.h>

namespace pade {
namespace {

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

std::vector<ParameterGroup> with_lr_factor(std::vector<ParameterGroup> groups, double factor,
                                           const std::function<bool(const Parameter&)>& chosen) {
  check(factor > 0 && std::isfinite(factor),
        "with_lr_factor: expected a finite factor above 0, got ", factor);
  std::vector<ParameterGroup> all;
  for (ParameterGroup& group : groups) {
    ParameterGroup own{group.name, {}, factor * group.lr, group.weight_decay / factor, group.rule};
    const auto first = std::stable_partition(group.parameters.begin(), group.parameters.end(),
                                             std::not_fn(chosen));
    own.parameters.assign(first, group.parameters.end());
    group.parameters.erase(first, group.parameters.end());
    for (ParameterGroup* some : {&group, &own})
      if (!some->parameters.empty()) all.push_back(std::move(*some));
  }
  return all;
}

}  // namespace pade
