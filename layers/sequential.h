#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pade/layers/module.h>

namespace pade {

/// A module under a name of its own, for Sequential{named("conv1", Conv2d(…)), …}.
struct NamedModule {
  std::string name;
  std::unique_ptr<Module> module;
};

template <std::derived_from<Module> M>
NamedModule named(std::string name, M module) {
  return {std::move(name), std::make_unique<M>(std::move(module))};
}
inline NamedModule named(std::string name, std::unique_ptr<Module> module) {
  return {std::move(name), std::move(module)};
}

/// Modules applied one after another; a BatchNorm and the Activation behind it in one pass. Those
/// without a name of their own are called by their position: "0", "1", …
///
///   Sequential network{Flatten(), named("head", Linear(784, 10))};
class Sequential : public Module {
 public:
  Sequential() = default;

  /// Not of a single Sequential, which is moved.
  template <class... Modules>
  requires(sizeof...(Modules) > 1 ||
           !(std::same_as<Modules, Sequential> && ...)) explicit Sequential(Modules... modules) {
    (add(std::move(modules)), ...);
  }

  /// Appends a module, under its position or a name of its own. Throws Error when the name is
  /// taken, empty, or has a dot in it.
  template <class M>
  void add(M module) {
    add(named(std::to_string(size()), std::move(module)));
  }
  void add(NamedModule module);

  int64_t size() const { return static_cast<int64_t>(modules_.size()); }
  Module& operator[](int64_t index);
  Module& operator[](const std::string& name);

  void visit(ModuleVisitor& visitor) override;
  std::string description() const override { return "Sequential"; }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  std::vector<NamedModule> modules_;
};

}  // namespace pade
