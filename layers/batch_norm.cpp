#include <optional>
#include <string>

#include <pade/core/distributed/sync_batch_norm.h>
#include <pade/core/error.h>
#include <pade/core/ops/operands.h>
#include <pade/core/scope.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/forward_observer.h>

namespace pade {

BatchNorm::BatchNorm(int dimensions, int64_t channels, BatchNormLayerOptions options)
    : running_mean(Tensor::zeros({channels})),
      running_var(Tensor::ones({channels})),
      dimensions_(dimensions),
      options_(options) {
  if (!options.affine) return;
  weight = Tensor::ones({channels}).requires_grad_();
  bias = Tensor::zeros({channels}).requires_grad_();
}

void BatchNorm::visit(ModuleVisitor& visitor) {
  visitor.parameter("weight", weight);
  visitor.parameter("bias", bias);
  visitor.buffer("running_mean", running_mean);
  visitor.buffer("running_var", running_var);
}

std::string BatchNorm::description() const {
  return std::string(type()) + '(' + std::to_string(running_mean.size()) + ')';
}

BatchNormOptions BatchNorm::checked_options(const Tensor& x) const {
  check_defined(type(), {{"input", x}});
  const bool fits = x.rank() == 2 + dimensions_ || (dimensions_ == 1 && x.rank() == 2);
  const std::string begin = "[N, " + std::to_string(running_mean.size());
  check(fits && x.extent(1) == running_mean.size(), type(), ": expected ", begin,
        dimensions_ == 1 ? "] or " + begin + ", L]" : ", H, W]", ", got ", x.shape());
  return {.training = training(), .momentum = options_.momentum, .eps = options_.eps};
}

Tensor BatchNorm::forward(const Tensor& x) {
  const BatchNormOptions options = checked_options(x);
  if (ranks_) return sync_batch_norm(x, weight, bias, running_mean, running_var, options, *ranks_);
  return batch_norm(x, weight, bias, running_mean, running_var, options);
}

Tensor BatchNorm::then(Activation& activation, const Tensor& x) {
  std::optional<ElementwiseFunction> f;
  if (!ForwardObserver::is_active() && !ranks_) {
    const Scope scope(activation.name());
    f = activation.elementwise();
  }
  if (!f) return activation((*this)(x));
  const Scope scope(name().empty() ? "" : name() + '+' + activation.name());
  return norm_act(x, weight, bias, running_mean, running_var, checked_options(x), *f);
}

void share_batch_statistics(Module& network, Communicator& ranks) {
  network.for_each_module([&](const std::string&, Module& module) {
    if (auto* norm = dynamic_cast<BatchNorm*>(&module)) norm->share_statistics(ranks);
  });
}

}  // namespace pade
