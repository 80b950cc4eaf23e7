#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include <pade/core/scope.h>
#include <pade/layers/forward_observer.h>
#include <pade/layers/module.h>

namespace pade {
namespace {

/// Lists everything at and below a module under dotted names, in the order of visit().
struct Parts : ModuleVisitor {
  struct Leaf {
    std::string name;
    Tensor* tensor;
    std::optional<ParameterRole> role;  // of a parameter, not of a buffer
    Tensor* step_scale = nullptr;
  };
  struct Part {
    std::string path;
    Module* module;
    ModuleSlot slot;
  };
  std::vector<Leaf> leaves;
  std::vector<std::pair<std::string, Rng*>> generators;
  std::vector<Part> modules;  // parents first

  explicit Parts(Module& root) {
    modules.push_back({"", &root, {}});
    root.visit(*this);
  }
  void parameter(const std::string& name, Tensor& tensor, ParameterRole role,
                 Tensor* step_scale) override {
    if (tensor.defined()) leaves.push_back({path_ + name, &tensor, role, step_scale});
  }
  void buffer(const std::string& name, Tensor& tensor) override {
    if (tensor.defined()) leaves.push_back({path_ + name, &tensor, {}});
  }
  void generator(const std::string& name, Rng& rng) override {
    generators.emplace_back(path_ + name, &rng);
  }
  void child(const std::string& name, Module& module, const ModuleSlot& slot) override {
    modules.push_back({path_ + name, &module, slot});
    const std::string outer = std::exchange(path_, path_ + name + '.');
    module.visit(*this);
    path_ = outer;
  }

 private:
  std::string path_;  // empty, or ending in a dot
};

/// Replaces every parameter and buffer below `root` by convert(it). Where that is the same tensor
/// the leaf stays, and an optimiser that knows it goes on training it.
void convert_tensors(Module& root, const std::function<Tensor(const Tensor&)>& convert) {
  const Parts parts(root);
  for (const auto& [name, tensor, role, step_scale] : parts.leaves) {
    const Tensor converted = convert(tensor->detach());
    if (!converted.shares_storage_with(*tensor)) {
      const bool trainable = role && tensor->requires_grad();
      *tensor = converted;
      if (trainable) tensor->requires_grad_();
    }
    if (step_scale && step_scale->defined()) *step_scale = convert(*step_scale);
  }
}

}  // namespace

void ModuleVisitor::parameter(const std::string&, Tensor&, ParameterRole, Tensor*) {}
void ModuleVisitor::buffer(const std::string&, Tensor&) {}
void ModuleVisitor::generator(const std::string&, Rng&) {}
void ModuleVisitor::child(const std::string&, Module&, const ModuleSlot&) {}

void Module::visit(ModuleVisitor&) {}

/// Several threads may make the first call together: one gives the names, the others wait.
void Module::name_children() {
  static std::mutex mutex;  // of all modules, as each needs it once
  const std::lock_guard lock(mutex);
  if (children_named_) return;
  struct Namer : ModuleVisitor {
    void child(const std::string& name, Module& module, const ModuleSlot&) override {
      module.name_ = name;
    }
  } namer;
  visit(namer);
  std::atomic_ref(children_named_).store(true, std::memory_order_release);
}

Tensor Module::operator()(const Tensor& x) {
  if (!std::atomic_ref(children_named_).load(std::memory_order_acquire))
    bad_alloc_as_error([this] { name_children(); });
  const Scope scope(name_);
  Tensor y = bad_alloc_as_error([&] { return forward(x); });
  ForwardObserver::show(*this, x, y);
  return y;
}

std::vector<Parameter> Module::parameters() {
  const Parts parts(*this);
  std::vector<Parameter> parameters;
  for (const auto& [name, tensor, role, step_scale] : parts.leaves)
    if (role && tensor->requires_grad())
      parameters.push_back({name, *tensor, *role, step_scale ? *step_scale : Tensor()});
  return parameters;
}

void Module::freeze(const std::function<bool(const Parameter&)>& chosen) {
  const Parts parts(*this);
  for (const auto& [name, tensor, role, step_scale] : parts.leaves)
    if (role && tensor->requires_grad() && chosen({name, *tensor, *role}))
      tensor->requires_grad_(false);
}

std::vector<std::pair<std::string, Tensor>> Module::state() {
  const Parts parts(*this);
  std::vector<std::pair<std::string, Tensor>> state;
  for (const Parts::Leaf& leaf : parts.leaves) state.emplace_back(leaf.name, leaf.tensor->detach());
  return state;
}

std::vector<std::pair<std::string, Rng*>> Module::generators() { return Parts(*this).generators; }

int64_t Module::parameter_count() {
  int64_t count = 0;
  for (const Parameter& parameter : parameters()) count += parameter.tensor.size();
  return count;
}

void Module::for_each_module(const std::function<void(const std::string&, Module&)>& f) {
  const Parts parts(*this);
  for (const Parts::Part& part : parts.modules) f(part.path, *part.module);
}

std::unique_ptr<Module> Module::replace(const std::string& path, std::unique_ptr<Module> module) {
  check(module != nullptr, "Module::replace: the new module for \"", path, "\" is null");
  check(!path.empty(), "Module::replace: the network itself is not a child that can be replaced");
  const Parts parts(*this);
  for (const auto& [part_path, old, slot] : parts.modules) {
    if (part_path != path) continue;
    check(slot != nullptr, "Module::replace: \"", path,
          "\" is a member of its parent; where that holds it as a std::unique_ptr<Module>, and "
          "shows this to visitors, it can be replaced");
    Module& fresh = *module;
    fresh.train(old->training());
    fresh.name_ = old->name_;
    check(slot(module), "Module::replace: \"", path,
          "\" is held by a pointer of another type than ", fresh.description(), " is of");
    return module;
  }
  fail("Module::replace: there is no module \"", path, '"');
}

void Module::train(bool on) {
  for_each_module([on](const std::string&, Module& module) { module.training_ = on; });
}

void Module::to(Device device) {
  convert_tensors(*this, [device](const Tensor& tensor) { return tensor.to(device); });
}

void Module::to(DType dtype) {
  check(is_floating(dtype), "Module::to: expected float32 or float64, got ", dtype);
  convert_tensors(*this, [dtype](const Tensor& tensor) {
    return is_floating(tensor.dtype()) ? tensor.to(dtype) : tensor;
  });
}

}  // namespace pade
