#pragma once

#include <string>

#include <pade/layers/module.h>

namespace pade {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< running = (1 − momentum) · running + momentum · batch
  bool affine = true;     ///< with trainable weight and bias
};

/// Batch normalisation of [N, C, H, W] over N, H and W (Ioffe and Szegedy 2015): by the batch's
/// statistics in train mode, by the running ones in eval mode. weight and bias [C] start at 1 and
/// 0, running_mean and running_var [C] at 0 and 1.
class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(int64_t channels, BatchNorm2dOptions options = {});

  void visit(ModuleVisitor& visitor) override;
  std::string description() const override;

  Tensor weight, bias;  ///< undefined unless affine
  Tensor running_mean, running_var;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  BatchNorm2dOptions options_;
};

}  // namespace pade
