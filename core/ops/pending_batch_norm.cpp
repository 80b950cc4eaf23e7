#include <mutex>
#include <set>
#include <span>
#include <string>

#include <pade/core/ops/pending_batch_norm.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

/// As `batch_norm+relu`; lives as long as the program, as a tape's names do.
const char* name_after_batch_norm(const char* op) {
  static std::set<std::string> names;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return names.insert(std::string("batch_norm+") + op).first->c_str();
}

std::vector<Tensor> saved_from(const Gradients& gradients, int first, size_t count) {
  std::vector<Tensor> saved;
  for (size_t i = 0; i < count; ++i) saved.push_back(gradients.saved(first + static_cast<int>(i)));
  return saved;
}

}  // namespace

std::shared_ptr<Storage> PendingBatchNorm::fulfil() {
  Tensor y = Tensor::empty_like(x);
  kernels_of(y).batch_norm_apply(problem, x, mean, inverse, gamma_values, beta_values, y);
  return y.storage();
}

std::shared_ptr<const PendingBatchNorm> pending_batch_norm(
    const Tensor& z, std::initializer_list<const Tensor*> parameters) {
  for (const Tensor* parameter : parameters) parameter->storage()->data();
  const auto pending = std::dynamic_pointer_cast<const PendingBatchNorm>(z.promise());
  Tape* recording = Tape::recording();
  if (!pending || !recording) return pending;
  if (const int64_t index = recording->index_of(z); index >= 0)
    return pending->tape == recording->generation() && pending->index == index ? pending : nullptr;
  // No gradient is asked for through z, but there may be one through what it was made from.
  for (const Tensor* input : {&pending->x, &pending->gamma, &pending->beta})
    if (recording->index_of(*input) >= 0) return nullptr;
  return pending;
}

Tensor apply_to_pending(const PendingBatchNorm& pending, const Tensor& z,
                        std::shared_ptr<const cpu::ElementwiseOp> op,
                        const std::vector<const Tensor*>& parameters) {
  std::vector<Tensor> values;
  for (const Tensor* parameter : parameters) values.push_back(*parameter);
  Tensor y = Tensor::empty_like(z);
  cpu::batch_norm_then(pending.problem, pending.x, pending.mean, pending.inverse,
                       pending.gamma_values, pending.beta_values, op->strips(z.dtype(), values), y);

  std::vector<const Tensor*> inputs{&pending.x, &pending.gamma, &pending.beta};
  std::vector<const Tensor*> saved{&pending.x, &pending.gamma_values, &pending.beta_values,
                                   &pending.mean, &pending.inverse};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  saved.insert(saved.end(), parameters.begin(), parameters.end());
  record(name_after_batch_norm(op->name()), std::span<const Tensor* const>(inputs), y,
         std::span<const Tensor* const>(saved),
         [problem = pending.problem, op, count = parameters.size()](Gradients& gradients) {
           const Tensor &x = gradients.saved(0), &gamma = gradients.saved(1),
                        &beta = gradients.saved(2), &mean = gradients.saved(3),
                        &inverse = gradients.saved(4);
           const std::vector<Tensor> parameters = saved_from(gradients, 5, count);
           Tensor dx = Tensor::empty_like(x);
           Tensor dgamma = Tensor::empty({problem.channels}, x.dtype());
           Tensor dbeta = Tensor::empty_like(dgamma);
           const std::vector<double> sums = cpu::batch_norm_then_backward(
               problem, gradients.of_output(), x, mean, inverse, gamma, beta,
               op->strips(x.dtype(), parameters), dx, dgamma, dbeta);
           gradients.set(0, dx);
           gradients.set(1, dgamma);
           gradients.set(2, dbeta);
           std::vector<Tensor> of_parameters;
           for (const Tensor& parameter : parameters)
             of_parameters.push_back(Tensor::empty_like(parameter));
           op->finish(sums, parameters, of_parameters);
           for (size_t i = 0; i < count; ++i)
             gradients.set(3 + static_cast<int>(i), of_parameters[i]);
         });
  return y;
}

}  // namespace pade
