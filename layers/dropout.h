#pragma once

#include <string>

#include <pade/layers/module.h>

namespace pade {

/// In train mode sets each element to 0 with this probability and multiplies the others by
/// 1 / (1 − probability); does nothing in eval mode. Every Dropout has a stream of its own. Throws
/// Error unless the probability is in [0, 1].
class Dropout : public Module {
 public:
  explicit Dropout(double probability = 0.5) : Dropout("Dropout", "dropout", probability) {}

  void visit(ModuleVisitor& visitor) override { visitor.generator("rng", rng_); }
  std::string description() const override;

 protected:
  Dropout(const char* type, const char* stream, double probability);
  Tensor forward(const Tensor& x) override;

  const char* type_;
  double probability_;
  Rng rng_;
};

/// The same with whole samples of [N, …] in the place of elements, for the branch of a residual
/// block (Huang et al., "Deep Networks with Stochastic Depth", 2016; called drop-connect in
/// EfficientNet).
class StochasticDepth : public Dropout {
 public:
  explicit StochasticDepth(double probability)
      : Dropout("StochasticDepth", "stochastic_depth", probability) {}

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace pade
