#pragma once

#include <optional>
#include <span>
#include <vector>

#include <pade/optim/optimizer.h>

namespace pade {

struct SgdOptions {
  double lr = 0.01;
  double momentum = 0;
  bool nesterov = false;    ///< needs momentum > 0
  double weight_decay = 0;  ///< added to the gradient; not of activations' coefficients
  std::optional<double> activation_lr = {};  ///< of activations' coefficients; see kActivationLr
};

/// Stochastic gradient descent with momentum as in PyTorch: buffer = momentum · buffer + gradient,
/// parameter −= lr · buffer, or, with Nesterov's momentum, lr · (gradient + momentum · buffer).
/// Throws Error unless 0 <= momentum < 1, and as Optimizer's constructor does.
class Sgd : public Optimizer {
 public:
  explicit Sgd(const std::vector<Parameter>& parameters, SgdOptions options = {});
  /// With groups of your own: their lr and weight_decay count, not the options'.
  Sgd(std::vector<ParameterGroup> groups, SgdOptions options);

 protected:
  void apply(std::span<const ParameterUpdate> updates) override;

 private:
  SgdOptions options_;
};

}  // namespace pade
