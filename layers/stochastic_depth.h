#pragma once

#include <string>

#include <pade/layers/module.h>

namespace pade {

/// For the branch of a residual block: in train mode sets whole samples of [N, …] to 0 with this
/// probability and multiplies the others by 1 / (1 − probability); does nothing in eval mode (Huang
/// et al., "Deep Networks with Stochastic Depth", 2016; called drop-connect in EfficientNet). Every
/// one has a stream of its own.
class StochasticDepth : public Module {
 public:
  /// Throws Error unless the probability is in [0, 1).
  explicit StochasticDepth(double probability);

  void visit(ModuleVisitor& visitor) override { visitor.generator("rng", rng_); }
  std::string description() const override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  double probability_;
  Rng rng_;
};

}  // namespace pade
