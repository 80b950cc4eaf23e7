#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/parameter.h>
#include <pade/core/random.h>
#include <pade/core/tensor.h>

namespace pade {

class Module;

/// Exchanges `module` with the child that a parent holds in a place, and returns true; false, with
/// nothing changed, where the pointer there is of another type. Empty where the child is a member.
using ModuleSlot = std::function<bool(std::unique_ptr<Module>& module)>;

/// Is shown, by Module::visit, what a module is made of. Optimisers, checkpoints, devices, train
/// and eval mode reach every part of a network through a visitor.
class ModuleVisitor {
 public:
  virtual ~ModuleVisitor() = default;
  /// A trainable leaf; an undefined tensor (no bias) is passed over. `step_scale` is the
  /// Parameter's; it is not saved, but it is moved and converted with the leaf.
  virtual void parameter(const std::string& name, Tensor& tensor,
                         ParameterRole role = ParameterRole::weight, Tensor* step_scale = nullptr);
  /// State that is saved but not trained, such as running statistics.
  virtual void buffer(const std::string& name, Tensor& tensor);
  /// A stream of random numbers, whose counter is saved.
  virtual void generator(const std::string& name, Rng& rng);
  /// A part; `slot` is empty where it is a member of its parent.
  virtual void child(const std::string& name, Module& module, const ModuleSlot& slot = {});
  /// A part that Module::replace() can replace; a null pointer is passed over.
  template <std::derived_from<Module> M>
  void child(const std::string& name, std::unique_ptr<M>& place) {
    if (!place) return;
    child(name, *place, [&place](std::unique_ptr<Module>& module) {
      M* const fitting = dynamic_cast<M*>(module.get());
      if (!fitting) return false;
      module.release();
      module = std::exchange(place, std::unique_ptr<M>(fitting));
      return true;
    });
  }
};

/// A part of a network: named parameters and buffers, a train/eval flag, a call operator.
///
/// A module of your own has its parts as members, lists them in visit(), and computes in forward():
///
///   struct Residual : Module {
///     Linear inner{64, 64};
///     Rational activation = Rational::hp1();
///     Tensor forward(const Tensor& x) override { return x + activation(inner(x)); }
///     void visit(ModuleVisitor& visitor) override {
///       visitor.child("inner", inner);
///       visitor.child("activation", activation);
///     }
///   };
///
/// Modules move but do not copy: two networks never share a parameter by accident.
///
/// Several threads may call one network in eval mode at once, each with its own Tape where it wants
/// gradients. All else needs the network alone: calls in train mode, which move running statistics
/// and streams of random numbers, backward() to its parameters, optimisers, loading, train(), to(),
/// replace(). A module of your own keeps to this where its forward() writes to none of its members;
/// a module has one parent.
class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module() = default;

  /// forward(x) inside a Scope of the module's name, so that errors say where they come from.
  Tensor operator()(const Tensor& x);

  /// What its parent calls it; empty until the parent is called first.
  const std::string& name() const { return name_; }

  /// Lists parameters, buffers, generators and children in a fixed order.
  virtual void visit(ModuleVisitor& visitor);
  /// As summaries show it: `Conv2d(1, 6, kernel=5, padding=2)`.
  virtual std::string description() const = 0;

  /// All parameters below, under dotted names (`features.0.weight`), in the order of visit().
  std::vector<Parameter> parameters();
  /// The parameters for which chosen(…) is true learn no more: parameters() leaves them out, and no
  /// gradient is computed for them. What optimisers remember of them stays.
  void freeze(const std::function<bool(const Parameter&)>& chosen);
  /// All parameters and buffers: what a checkpoint holds.
  std::vector<std::pair<std::string, Tensor>> state();
  std::vector<std::pair<std::string, Rng*>> generators();
  /// The number of trainable scalars.
  int64_t parameter_count();
  /// Calls f(dotted path, module) for this module (path "") and all below, parents first. f does
  /// not exchange modules.
  void for_each_module(const std::function<void(const std::string&, Module&)>& f);

  /// Puts `module` in the place of the one of that dotted path, which it returns, and into the
  /// train or eval mode of that one. Optimisers, statistics and references that know the old one go
  /// on doing so: make them again. Throws Error, with nothing changed, when no module has that
  /// path, and when its parent cannot hold another one there: the children of a Sequential can be
  /// replaced, and those that visit() shows as a std::unique_ptr of a fitting type.
  std::unique_ptr<Module> replace(const std::string& path, std::unique_ptr<Module> module);

  /// Dropout and batch norm behave differently in the two modes; a new module is in train mode.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  /// Moves parameters and buffers. Make optimisers afterwards: what was moved or converted is a new
  /// leaf, and an optimiser's step() refuses to train only old ones.
  void to(Device device);
  /// Converts floating parameters and buffers; float64 is for gradient checks.
  void to(DType dtype);

 protected:
  virtual Tensor forward(const Tensor& x) = 0;
  /// For modules whose children change after the first call.
  void forget_children_names() { children_named_ = false; }

 private:
  void name_children();

  std::string name_;
  bool children_named_ = false;
  bool training_ = true;
};

/// A table of path, description, output shape and number of parameters of the modules that were
/// called for an input of this shape. Runs the network once, in eval mode, on zeros.
std::string summary(Module& network, const Shape& input);
/// The same of all modules, parents first, without output shapes, and without running any.
std::ostream& operator<<(std::ostream& out, Module& network);
inline std::ostream& operator<<(std::ostream& out, Module&& network) { return out << network; }

}  // namespace pade
