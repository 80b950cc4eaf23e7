#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/parameter.h>

namespace pade {

/// How the parameters of a group follow their gradients.
///
/// The coefficients of a learned activation have a rule of their own, whatever the weights' one is.
/// One coefficient serves every place of its layer, and how far a step of it bends the function
/// differs by 50 times and more between those of one function, and between functions: no one rate
/// fits (examples/learning.md). So their steps are Adam's, which are as long as the rate however
/// large a gradient is, times the step_scale, which makes steps of all coefficients bend the
/// function alike.
enum class UpdateRule {
  own,  ///< as the optimiser's name says
  /// p −= min(1, t/20) · lr · step_scale · Adam's step with the usual betas (0.9, 0.999), t being
  /// the parameter's updates: early gradients point one way, and Adam makes long steps of them.
  coefficients,
};

/// Parameters that are updated alike.
struct ParameterGroup {
  std::string name;
  std::vector<Parameter> parameters;
  double lr = 0;  ///< before the schedule's factor
  double weight_decay = 0;
  UpdateRule rule = UpdateRule::own;
};

/// The update of one parameter.
struct ParameterUpdate {
  Tensor& parameter;
  const Tensor& gradient;
  std::vector<Tensor>& slots;  ///< as the rule names them, all zero at first
  double lr, weight_decay;
  int64_t step;              ///< the number of this parameter's update, from 1
  const Tensor& step_scale;  ///< undefined where there is none, and in the own rule
};

/// Changes parameters along their gradients, weights by the rule that the class is named after,
/// coefficients of activations by UpdateRule::coefficients.
///
///   Sgd optimizer(network.parameters(), {.lr = 0.01, .momentum = 0.9});
///   … tape.backward(loss); optimizer.step();
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates, in place, every parameter whose gradient was set since the last step. The others are
  /// left as they are, and so is their state. Throws Error, with nothing changed, where no
  /// parameter has such a gradient, as nobody would notice, and where one is in the memory of
  /// another parameter, which may or may not have been updated before.
  void step();

  const std::vector<ParameterGroup>& groups() const { return groups_; }
  /// Multiplies every group's learning rate from now on, as a schedule says; not part of the state.
  /// Throws Error unless it is finite and at least 0.
  void set_lr_factor(double factor);
  double lr_factor() const { return lr_factor_; }

  /// What is remembered of each parameter: how many updates it had (`steps.conv1.weight`, int32)
  /// and tensors of its shape (`momentum.conv1.weight`). The handles are live: copying a saved
  /// state into them makes training go on with the same bits.
  std::vector<std::pair<std::string, Tensor>> state() const;

 protected:
  /// `slots` are the names of the tensors that the own rule remembers for each parameter. Throws
  /// Error if a rate or decay is negative; if there are no parameters, or one is not a leaf; if two
  /// have the same name, are the same parameter, share memory or are on different devices; and if a
  /// step_scale differs from its parameter in shape, dtype or device, or is not finite above 0.
  Optimizer(std::vector<ParameterGroup> groups, std::vector<std::string> slots);

  /// The own rule, for at least one parameter; all are on one device.
  virtual void apply(std::span<const ParameterUpdate> updates) = 0;

 private:
  struct Entry {  // of one parameter
    ParameterGroup& group;
    Parameter& parameter;
    Tensor steps;  // its updates: int32, one element
    std::vector<Tensor> slots;
  };

  void update_parameters();
  const std::vector<std::string>& slot_names(UpdateRule rule) const;

  std::vector<ParameterGroup> groups_;
  std::vector<std::string> own_slot_names_;
  std::vector<Entry> entries_;  // in the order of the groups
  double lr_factor_ = 1;
};

}  // namespace pade
