#include <pade/core/error.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/operands.h>
#include <pade/layers/batch_norm.h>

namespace pade {

BatchNorm::BatchNorm(const char* name, int64_t channels, BatchNormLayerOptions options)
    : running_mean(Tensor::zeros({channels})),
      running_var(Tensor::ones({channels})),
      name_(name),
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
  return name_ + ("(" + std::to_string(running_mean.size()) + ")");
}

Tensor BatchNorm::forward(const Tensor& x) {
  check_defined(name_, {{"input", x}});
  check(accepts(x.rank()) && x.extent(1) == running_mean.size(), name_, ": expected ",
        expected(std::to_string(running_mean.size())), ", got ", x.shape());
  return batch_norm(x, weight, bias, running_mean, running_var,
                    {.training = training(), .momentum = options_.momentum, .eps = options_.eps});
}

}  // namespace pade
