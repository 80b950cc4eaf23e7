#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/tape.h>
#include <pade/optim/clip.h>
#include <pade/optim/parameter_checks.h>

namespace pade {
namespace {

bool is_weight(const Parameter& parameter) { return parameter.role == ParameterRole::weight; }

/// Those with a gradient that the next step() will use.
std::vector<const Parameter*> fresh_of(const char* function,
                                       const std::vector<Parameter>& parameters) {
  std::vector<const Parameter*> fresh;
  for (const Parameter& parameter : parameters) {
    if (!parameter.tensor.has_fresh_grad()) continue;
    fresh.push_back(&parameter);
    const auto& [name, first, role, step_scale] = *fresh[0];
    check(parameter.tensor.device() == first.device(), function, ": expected all parameters on ",
          "one device, got \"", name, "\" on ", first.device(), " and \"", parameter.name, "\" on ",
          parameter.tensor.device());
  }
  check(!fresh.empty() || parameters.empty(), function, ": none of the ", parameters.size(),
        " parameters has a gradient that step() has not used; call it between backward() and ",
        "step(), with parameters() from after network.to(…)");
  return fresh;
}

/// Of those that count.
double norm_of(const std::vector<const Parameter*>& fresh, bool (*counts)(const Parameter&)) {
  std::vector<Tensor> gradients;
  std::vector<double> factors;
  for (const Parameter* parameter : fresh) {
    gradients.push_back(parameter->tensor.grad());
    factors.push_back(counts(*parameter) ? 1 : 0);
  }
  double sum = 0;
  if (!gradients.empty()) kernels_of(gradients[0]).sum_of_squares(gradients, factors, sum);
  return std::sqrt(sum);
}

}  // namespace

double grad_norm(const std::vector<Parameter>& parameters) {
  return bad_alloc_as_error([&] {
    return norm_of(fresh_of("grad_norm", parameters), [](const Parameter&) { return true; });
  });
}

double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm) {
  check(max_norm > 0, "clip_grad_norm: the largest norm must be above 0, got ", max_norm);
  return bad_alloc_as_error([&] {
    const std::vector<const Parameter*> fresh = fresh_of("clip_grad_norm", parameters);
    const double norm = norm_of(fresh, is_weight);
    const double factor = max_norm / (norm + 1e-6);
    if (!std::isfinite(norm) || factor >= 1) return norm;
    std::vector<Tensor> weights;  // their gradients
    std::vector<std::pair<std::string, Tensor>> perhaps_shared;
    for (const Parameter* parameter : fresh) {
      const Tensor& gradient = parameter->tensor.grad();
      if (!gradient.is_only_handle())
        perhaps_shared.emplace_back("gradient of " + parameter->name, gradient);
      if (is_weight(*parameter)) weights.push_back(gradient);
    }
    check_no_overlap("clip_grad_norm", perhaps_shared);
    kernels_of(weights[0]).scale(weights, factor);
    return norm;
  });
}

}  // namespace pade
