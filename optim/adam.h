#pragma once

#include <optional>
#include <span>
#include <vector>

#include <pade/optim/optimizer.h>

namespace pade {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;                   ///< not of activations' coefficients
  std::optional<double> activation_lr = {};  ///< of activations' coefficients; see kActivationLr
};

/// Adam (Kingma and Ba 2015) as in PyTorch; weight decay is added to the gradient. The correction
/// for the moments' start from zero counts each parameter's own updates. Activations' coefficients
/// have betas and eps of their own: UpdateRule::coefficients.
/// Throws Error unless both betas are in [0, 1) and eps > 0, and as Optimizer's constructor does.
class Adam : public Optimizer {
 public:
  explicit Adam(const std::vector<Parameter>& parameters, AdamOptions options = {});
  /// With groups of your own: their lr and weight_decay count, not the options'.
  Adam(std::vector<ParameterGroup> groups, AdamOptions options);

 protected:
  Adam(std::vector<ParameterGroup> groups, AdamOptions options, bool decoupled);
  void apply(std::span<const ParameterUpdate> updates) override;

 private:
  AdamOptions options_;
  bool decoupled_;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): parameter −= lr · decay ·
/// parameter. There is none unless asked for, where PyTorch's AdamW takes 0.01.
class AdamW : public Adam {
 public:
  explicit AdamW(const std::vector<Parameter>& parameters, AdamOptions options = {});
  AdamW(std::vector<ParameterGroup> groups, AdamOptions options);
};

}  // namespace pade
