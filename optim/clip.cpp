#include <cmath>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/core/tape.h>
#include <pade/optim/clip.h>

namespace pade {
namespace {

double sum_of_squares(const Tensor& tensor) {
  std::vector<double> partial(blocks_of(tensor.size(), kElementBlock), 0);
  dispatch_floating(tensor.dtype(), "grad_norm", [&](auto zero) {
    const auto* values = tensor.data<decltype(zero)>();
    parallel_for(tensor.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      double total = 0;
#pragma omp simd reduction(+ : total)
      for (int64_t i = begin; i < end; ++i) total += double{values[i]} * double{values[i]};
      partial[begin / kElementBlock] = total;
    });
  });
  double total = 0;
  for (double value : partial) total += value;
  return total;
}

}  // namespace

double grad_norm(const std::vector<Parameter>& parameters) {
  double total = 0;
  for (const Parameter& parameter : parameters)
    if (parameter.tensor.has_fresh_grad()) total += sum_of_squares(parameter.tensor.grad());
  return std::sqrt(total);
}

double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm) {
  check(max_norm > 0, "clip_grad_norm: the largest norm must be above 0, got ", max_norm);
  const double norm = grad_norm(parameters);
  const double factor = max_norm / (norm + 1e-6);
  if (!std::isfinite(norm) || factor >= 1) return norm;
  const NoGrad no_grad;
  for (const Parameter& parameter : parameters) {
    if (!parameter.tensor.has_fresh_grad()) continue;
    Tensor gradient = parameter.tensor.grad();
    gradient.mul_(factor);
  }
  return norm;
}

}  // namespace pade
