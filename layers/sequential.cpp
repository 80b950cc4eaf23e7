#include <algorithm>

#include <pade/core/error.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/sequential.h>

namespace pade {

void Sequential::add(NamedModule module) {
  check(module.module != nullptr, "Sequential: module \"", module.name, "\" is null");
  check(!module.name.empty() && module.name.find('.') == std::string::npos,
        "Sequential: a module's name must not be empty and has no dots, got \"", module.name, "\"");
  const bool taken = std::any_of(modules_.begin(), modules_.end(),
                                 [&](const NamedModule& m) { return m.name == module.name; });
  check(!taken, "Sequential: there are two modules named \"", module.name, "\"");
  modules_.push_back(std::move(module));
  forget_children_names();
}

Module& Sequential::operator[](int64_t index) {
  check(index >= 0 && index < size(), "Sequential: index ", index, " is out of range for ", size(),
        " modules");
  return *modules_[index].module;
}

Module& Sequential::operator[](const std::string& name) {
  for (NamedModule& module : modules_)
    if (module.name == name) return *module.module;
  fail("Sequential: there is no module named \"", name, "\"");
}

void Sequential::visit(ModuleVisitor& visitor) {
  for (NamedModule& module : modules_) visitor.child(module.name, module.module);
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (size_t i = 0; i < modules_.size(); ++i) {
    Module& module = *modules_[i].module;
    Module* const next = i + 1 < modules_.size() ? modules_[i + 1].module.get() : nullptr;
    auto* const norm = dynamic_cast<BatchNorm*>(&module);
    auto* const activation = norm ? dynamic_cast<Activation*>(next) : nullptr;
    y = activation ? norm->then(*activation, y) : module(y);
    if (activation) ++i;
  }
  return y;
}

}  // namespace pade
