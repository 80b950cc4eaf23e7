#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/parameter.h>

namespace pade {

/// Parameters that are updated alike.
struct ParameterGroup {
  std::string name;
  std::vector<Parameter> parameters;
  double lr = 0;  ///< before the schedule's factor
  double weight_decay = 0;
};

/// "weights" with this rate and decay, and "activations": the coefficients of learned activations,
/// with activation_lr where it is given, and no decay, which would pull them towards the zero
/// function. A group without parameters is left out. Throws Error for a negative rate or decay.
std::vector<ParameterGroup> default_groups(const std::vector<Parameter>& parameters, double lr,
                                           double weight_decay,
                                           std::optional<double> activation_lr);

/// Changes parameters along their gradients: those with a step_scale as if parameter / step_scale
/// were what is trained, with the gradient, decay and memories of that.
///
///   Sgd optimizer(network.parameters(), {.lr = 0.01, .momentum = 0.9});
///   … tape.backward(loss); optimizer.step();
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates, in place, every parameter whose gradient was set since the last step. The others are
  /// left as they are, and so is their state. Throws Error where no parameter has such a gradient:
  /// nothing would be trained, and nobody would notice; and, with nothing changed, where a gradient
  /// is in the memory of another parameter, which may or may not have been updated before.
  void step();

  const std::vector<ParameterGroup>& groups() const { return groups_; }
  /// Multiplies every group's learning rate from now on: a schedule's value. It is no part of the
  /// state. Throws Error unless it is finite and at least 0.
  void set_lr_factor(double factor);
  double lr_factor() const { return lr_factor_; }

  /// What the optimiser remembers of each parameter, under stable names: how many updates it had
  /// (`steps.conv1.weight`, int32) and tensors of its shape (`momentum.conv1.weight`). The handles
  /// are live: copying a saved state into them makes training go on with the same bits.
  std::vector<std::pair<std::string, Tensor>> state() const;

 protected:
  /// The update of one parameter.
  struct Update {
    Tensor& parameter;
    const Tensor& gradient;
    std::vector<Tensor>& slots;  ///< as named in the constructor, all zero at first
    double lr, weight_decay;
    int64_t step;              ///< the number of this parameter's update, from 1
    const Tensor& step_scale;  ///< as in Parameter; undefined where there is none
  };

  /// `slots` are the names of the tensors to remember for each parameter. Throws Error for a
  /// negative rate or decay, no parameters, a parameter that is no leaf, names that occur twice,
  /// two names of one parameter, parameters that share memory or are on several devices, and a
  /// step_scale that is not of its parameter's shape, dtype and device, or not finite and above 0.
  Optimizer(std::vector<ParameterGroup> groups, std::vector<std::string> slots);

  /// At least one update; all parameters are on one device.
  virtual void apply(std::span<const Update> updates) = 0;

 private:
  struct Memory {
    Tensor steps;  // int32, one element
    std::vector<Tensor> slots;
  };

  void update_parameters();
  static void check_gradients(std::span<const Update> updates);

  std::vector<ParameterGroup> groups_;
  std::vector<std::string> slot_names_;
  std::vector<Memory> memories_;  // by parameter, in the order of the groups
  double lr_factor_ = 1;
};

}  // namespace pade
