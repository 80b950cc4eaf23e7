#include <pade/core/error.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/operands.h>
#include <pade/layers/batch_norm.h>

namespace pade {

BatchNorm2d::BatchNorm2d(int64_t channels, BatchNorm2dOptions options)
    : running_mean(Tensor::zeros({channels})),
      running_var(Tensor::ones({channels})),
      options_(options) {
  if (!options.affine) return;
  weight = Tensor::ones({channels}).requires_grad_();
  bias = Tensor::zeros({channels}).requires_grad_();
}

void BatchNorm2d::visit(ModuleVisitor& visitor) {
  visitor.parameter("weight", weight);
  visitor.parameter("bias", bias);
  visitor.buffer("running_mean", running_mean);
  visitor.buffer("running_var", running_var);
}

std::string BatchNorm2d::description() const {
  return "BatchNorm2d(" + std::to_string(running_mean.size()) + ")";
}

Tensor BatchNorm2d::forward(const Tensor& x) {
  check_defined("BatchNorm2d", {{"input", x}});
  check(x.rank() == 4 && x.extent(1) == running_mean.size(), "BatchNorm2d: expected [N, ",
        running_mean.size(), ", H, W], got ", x.shape());
  return batch_norm(x, weight, bias, running_mean, running_var,
                    {.training = training(), .momentum = options_.momentum, .eps = options_.eps});
}

}  // namespace pade
