#pragma once

#include <string>

#include <pade/core/ops/batch_norm.h>
#include <pade/layers/activation.h>
#include <pade/layers/module.h>

namespace pade {

struct BatchNormLayerOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< running = (1 − momentum) · running + momentum · batch
  bool affine = true;     ///< with trainable weight and bias
};

/// What BatchNorm1d and BatchNorm2d share: batch normalisation over all axes but the second (Ioffe
/// and Szegedy 2015), by the batch's statistics in train mode, by the running ones in eval mode.
/// weight and bias [C] start at 1 and 0, running_mean and running_var [C] at 0 and 1.
class BatchNorm : public Module {
 public:
  void visit(ModuleVisitor& visitor) override;
  std::string description() const override;

  /// activation((*this)(x)), in one pass where the op norm_act() has one. Errors call it by both
  /// names: `bn1+act1`. A ForwardObserver sees two calls.
  Tensor then(Activation& activation, const Tensor& x);

  Tensor weight, bias;  ///< undefined unless affine
  Tensor running_mean, running_var;

 protected:
  BatchNorm(const char* type, int64_t channels, BatchNormLayerOptions options);
  Tensor forward(const Tensor& x) override;
  /// The shapes that it is made for, C being the number of channels: `[N, C]`.
  virtual std::string expected(const std::string& channels) const = 0;
  virtual bool accepts(int rank) const = 0;

 private:
  BatchNormOptions checked_options(const Tensor& x) const;

  const char* type_;
  BatchNormLayerOptions options_;
};

/// Of [N, C] or [N, C, L].
class BatchNorm1d : public BatchNorm {
 public:
  explicit BatchNorm1d(int64_t channels, BatchNormLayerOptions options = {})
      : BatchNorm("BatchNorm1d", channels, options) {}

 protected:
  std::string expected(const std::string& c) const override {
    return "[N, " + c + "] or [N, " + c + ", L]";
  }
  bool accepts(int rank) const override { return rank == 2 || rank == 3; }
};

/// Of images [N, C, H, W].
class BatchNorm2d : public BatchNorm {
 public:
  explicit BatchNorm2d(int64_t channels, BatchNormLayerOptions options = {})
      : BatchNorm("BatchNorm2d", channels, options) {}

 protected:
  std::string expected(const std::string& c) const override { return "[N, " + c + ", H, W]"; }
  bool accepts(int rank) const override { return rank == 4; }
};

}  // namespace pade
