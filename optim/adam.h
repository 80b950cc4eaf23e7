#pragma once

#include <optional>

#include <pade/optim/optimizer.h>

namespace pade {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  ///< not of activations' coefficients
  std::optional<double> activation_lr = {};  ///< of activations' coefficients; lr when not given
};

/// Adam (Kingma and Ba 2015); weight decay is added to the gradient.
class Adam : public Optimizer {
 public:
  explicit Adam(const std::vector<Parameter>& parameters, AdamOptions options = {});
  /// With groups of your own: their lr and weight_decay count, not the options'.
  Adam(std::vector<ParameterGroup> groups, AdamOptions options);

 protected:
  Adam(std::vector<ParameterGroup> groups, AdamOptions options, bool decoupled);
  void apply(const Update& update) override;

 private:
  AdamOptions options_;
  bool decoupled_;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): parameter −= lr · decay · parameter.
class AdamW : public Adam {
 public:
  explicit AdamW(const std::vector<Parameter>& parameters, AdamOptions options = {});
  AdamW(std::vector<ParameterGroup> groups, AdamOptions options);
};

}  // namespace pade
