#pragma once

#include <string>

#include <pade/core/distributed/communicator.h>
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
  double eps() const { return options_.eps; }

  /// activation((*this)(x)), in one pass where the op norm_act() has one. Errors call it by both
  /// names: `bn1+act1`. A ForwardObserver sees two calls.
  Tensor then(Activation& activation, const Tensor& x);

  /// In training, the mean and variance are those over all ranks' inputs (sync_batch_norm()). The
  /// communicator must outlive this.
  void share_statistics(Communicator& ranks) { ranks_ = &ranks; }

  Tensor weight, bias;  ///< undefined unless affine
  Tensor running_mean, running_var;

 protected:
  /// `dimensions` of a sample's channels: 1 or 2.
  BatchNorm(int dimensions, int64_t channels, BatchNormLayerOptions options);
  Tensor forward(const Tensor& x) override;

 private:
  const char* type() const { return dimensions_ == 1 ? "BatchNorm1d" : "BatchNorm2d"; }
  BatchNormOptions checked_options(const Tensor& x) const;

  int dimensions_;
  BatchNormLayerOptions options_;
  Communicator* ranks_ = nullptr;  // null: this one's inputs alone
};

/// BatchNorm::share_statistics() of all batch norms in the network.
void share_batch_statistics(Module& network, Communicator& ranks);

/// Of [N, C] or [N, C, L].
struct BatchNorm1d : BatchNorm {
  explicit BatchNorm1d(int64_t channels, BatchNormLayerOptions options = {})
      : BatchNorm(1, channels, options) {}
};

/// Of images [N, C, H, W].
struct BatchNorm2d : BatchNorm {
  explicit BatchNorm2d(int64_t channels, BatchNormLayerOptions options = {})
      : BatchNorm(2, channels, options) {}
};

}  // namespace pade
