#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/tape.h>
#include <pade/optim/clip.h>
#include <pade/optim/overlap.h>

namespace pade {
namespace {

struct FreshGradients {
  std::vector<Tensor> tensors;
  std::vector<double> factors;  // 1, or 0 of those that do not count
};

/// `counts` says whether a parameter's gradient does.
FreshGradients fresh_gradients(const char* function, const std::vector<Parameter>& parameters,
                               bool (*counts)(const Parameter&)) {
  FreshGradients gradients;
  const Parameter* first = nullptr;
  for (const Parameter& parameter : parameters) {
    const Tensor& tensor = parameter.tensor;
    if (!tensor.has_fresh_grad()) continue;
    if (!first) first = &parameter;
    check(tensor.device() == first->tensor.device(), function, ": expected all parameters on one ",
          "device, got \"", first->name, "\" on ", first->tensor.device(), " and \"",
          parameter.name, "\" on ", tensor.device());
    gradients.tensors.push_back(tensor.grad());
    gradients.factors.push_back(counts(parameter) ? 1 : 0);
  }
  check(first || parameters.empty(), function, ": none of the ", parameters.size(),
        " parameters has a gradient that step() has not used; call it between backward() and ",
        "step(), with parameters() from after network.to(…)");
  return gradients;
}

/// Those that may share memory, and their names.
std::vector<std::pair<std::string, Tensor>> with_other_handles(
    const std::vector<Parameter>& parameters) {
  std::vector<std::pair<std::string, Tensor>> gradients;
  for (const auto& [name, tensor, role, step_scale] : parameters)
    if (tensor.has_fresh_grad() && !tensor.grad().is_only_handle())
      gradients.emplace_back("gradient of " + name, tensor.grad());
  return gradients;
}

double norm_of(const FreshGradients& gradients) {
  const auto& [tensors, factors] = gradients;
  double sum = 0;
  if (!tensors.empty()) kernels_of(tensors[0]).sum_of_squares(tensors, factors, sum);
  return std::sqrt(sum);
}

std::vector<Tensor> that_count(const FreshGradients& gradients) {
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < gradients.tensors.size(); ++i)
    if (gradients.factors[i] > 0) tensors.push_back(gradients.tensors[i]);
  return tensors;
}

bool is_any(const Parameter&) { return true; }
bool is_weight(const Parameter& parameter) { return parameter.role == ParameterRole::weight; }

}  // namespace

double grad_norm(const std::vector<Parameter>& parameters) {
  return bad_alloc_as_error(
      [&] { return norm_of(fresh_gradients("grad_norm", parameters, is_any)); });
}

double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm) {
  check(max_norm > 0, "clip_grad_norm: the largest norm must be above 0, got ", max_norm);
  const auto perhaps_shared = bad_alloc_as_error([&] { return with_other_handles(parameters); });
  const FreshGradients gradients =
      bad_alloc_as_error([&] { return fresh_gradients("clip_grad_norm", parameters, is_weight); });
  const double norm = norm_of(gradients);
  const double factor = max_norm / (norm + 1e-6);
  if (!std::isfinite(norm) || factor >= 1) return norm;
  check_no_overlap("clip_grad_norm", perhaps_shared);
  std::vector<Tensor> counting = bad_alloc_as_error([&] { return that_count(gradients); });
  kernels_of(counting[0]).scale(counting, factor);
  return norm;
}

}  // namespace pade
