#include <atomic>
#include <mutex>
#include <utility>

#include <pade/core/scope.h>
#include <pade/core/tape.h>
#include <pade/layers/module.h>

namespace pade {
namespace {

thread_local ForwardObserver* active_observer = nullptr;

/// Calls its functions with dotted names for everything at and below a module.
class Walk : public ModuleVisitor {
 public:
  std::function<void(const std::string&, Tensor&, ParameterRole, Tensor* step_scale)> on_parameter;
  std::function<void(const std::string&, Tensor&)> on_buffer;
  std::function<void(const std::string&, Rng&)> on_generator;
  std::function<void(const std::string&, Module&)> on_module;

  void start(Module& root) {
    if (on_module) on_module("", root);
    root.visit(*this);
  }

  void parameter(const std::string& name, Tensor& tensor, ParameterRole role,
                 Tensor* step_scale) override {
    if (step_scale && !step_scale->defined()) step_scale = nullptr;
    if (on_parameter && tensor.defined()) on_parameter(path_ + name, tensor, role, step_scale);
  }
  void buffer(const std::string& name, Tensor& tensor) override {
    if (on_buffer && tensor.defined()) on_buffer(path_ + name, tensor);
  }
  void generator(const std::string& name, Rng& rng) override {
    if (on_generator) on_generator(path_ + name, rng);
  }
  void child(const std::string& name, Module& module) override {
    if (on_module) on_module(path_ + name, module);
    const size_t length = path_.size();
    path_ += name + '.';
    module.visit(*this);
    path_.resize(length);
  }

 private:
  std::string path_;  // empty, or ending in a dot
};

/// Finds the module of a path, its parent, and puts another one there.
class Replacement : public ModuleVisitor {
 public:
  Replacement(Module& root, const std::string& path, std::unique_ptr<Module> module)
      : parent(&root), path_(path), module_(std::move(module)) {
    check(module_ != nullptr, "Module::replace: the new module for \"", path, "\" is null");
    check(!path.empty(), "Module::replace: the network itself is not a child that can be replaced");
    root.visit(*this);
    check(old != nullptr, "Module::replace: there is no module \"", path, '"');
  }

  Module* parent;
  std::unique_ptr<Module> old;

 private:
  void child(const std::string& name, Module& module) override {
    const std::string_view rest = std::string_view(path_).substr(begin_);
    check(rest != name, "Module::replace: \"", path_,
          "\" is a member of its parent; where that holds it as a std::unique_ptr<Module>, and "
          "shows this to visitors, it can be replaced");
    if (old || !rest.starts_with(name) || rest[name.size()] != '.') return;
    Module* const outer = std::exchange(parent, &module);
    begin_ += name.size() + 1;
    module.visit(*this);
    if (old) return;
    begin_ -= name.size() + 1;
    parent = outer;
  }
  void child_in_slot(const std::string& name, Module& module, ModuleSlot& slot) override {
    if (old) return;
    if (std::string_view(path_).substr(begin_) != name) return child(name, module);
    check(slot.accepts(*module_), "Module::replace: \"", path_,
          "\" is held by a pointer of another type than ", module_->description(), " is of");
    module_->train(module.training());
    old = slot.exchange(std::move(module_));
  }

  const std::string& path_;
  size_t begin_ = 0;  // of the names below `parent`, in path_
  std::unique_ptr<Module> module_;
};

/// Replaces every parameter and buffer below `root` by convert(it). Where that is the same tensor
/// the leaf stays, and an optimiser that knows it goes on training it.
void convert_tensors(Module& root, const std::function<Tensor(const Tensor&)>& convert) {
  Walk walk;
  walk.on_parameter = [&](const std::string&, Tensor& tensor, ParameterRole, Tensor* step_scale) {
    const Tensor converted = convert(tensor.detach());
    if (!converted.shares_storage_with(tensor)) {
      const bool trainable = tensor.requires_grad();
      tensor = converted;
      if (trainable) tensor.requires_grad_();
    }
    if (step_scale) *step_scale = convert(*step_scale);
  };
  walk.on_buffer = [&](const std::string&, Tensor& tensor) { tensor = convert(tensor); };
  walk.start(root);
}

}  // namespace

void ModuleVisitor::parameter(const std::string&, Tensor&, ParameterRole, Tensor*) {}
void ModuleVisitor::buffer(const std::string&, Tensor&) {}
void ModuleVisitor::generator(const std::string&, Rng&) {}
void ModuleVisitor::child(const std::string&, Module&) {}
void ModuleVisitor::child_in_slot(const std::string& name, Module& module, ModuleSlot&) {
  child(name, module);
}

void Module::visit(ModuleVisitor&) {}

/// Several threads may make the first call together: one gives the names, the others wait.
void Module::name_children() {
  static std::mutex mutex;  // of all modules, as each needs it once
  const std::lock_guard lock(mutex);
  if (children_named_) return;
  struct Namer : ModuleVisitor {
    void child(const std::string& name, Module& module) override { module.name_ = name; }
  } namer;
  visit(namer);
  std::atomic_ref(children_named_).store(true, std::memory_order_release);
}

Tensor Module::operator()(const Tensor& x) {
  if (!std::atomic_ref(children_named_).load(std::memory_order_acquire))
    bad_alloc_as_error([this] { name_children(); });
  const Scope scope(name_);
  Tensor y = bad_alloc_as_error([&] { return forward(x); });
  if (ForwardObserver::is_active()) active_observer->observe_(Scope::path(), *this, x, y);
  return y;
}

std::vector<Parameter> Module::parameters() {
  std::vector<Parameter> parameters;
  Walk walk;
  walk.on_parameter = [&](const std::string& name, Tensor& tensor, ParameterRole role,
                          Tensor* step_scale) {
    if (tensor.requires_grad())
      parameters.push_back({name, tensor, role, step_scale ? *step_scale : Tensor()});
  };
  walk.start(*this);
  return parameters;
}

std::vector<std::pair<std::string, Tensor>> Module::state() {
  std::vector<std::pair<std::string, Tensor>> state;
  Walk walk;
  walk.on_parameter = [&](const std::string& name, Tensor& tensor, ParameterRole, Tensor*) {
    state.emplace_back(name, tensor.detach());
  };
  walk.on_buffer = [&](const std::string& name, Tensor& tensor) {
    state.emplace_back(name, tensor);
  };
  walk.start(*this);
  return state;
}

std::vector<std::pair<std::string, Rng*>> Module::generators() {
  std::vector<std::pair<std::string, Rng*>> generators;
  Walk walk;
  walk.on_generator = [&](const std::string& name, Rng& rng) {
    generators.emplace_back(name, &rng);
  };
  walk.start(*this);
  return generators;
}

int64_t Module::parameter_count() {
  int64_t count = 0;
  for (const Parameter& parameter : parameters()) count += parameter.tensor.size();
  return count;
}

void Module::for_each_module(const std::function<void(const std::string&, Module&)>& f) {
  Walk walk;
  walk.on_module = f;
  walk.start(*this);
}

std::unique_ptr<Module> Module::replace(const std::string& path, std::unique_ptr<Module> module) {
  Replacement replacement(*this, path, std::move(module));
  replacement.parent->forget_children_names();
  return std::move(replacement.old);
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

ForwardObserver::ForwardObserver(Function observe)
    : observe_(std::move(observe)), outer_(active_observer) {
  active_observer = this;
}
ForwardObserver::~ForwardObserver() { active_observer = outer_; }
bool ForwardObserver::is_active() { return active_observer && active_observer->observe_; }

}  // namespace pade
