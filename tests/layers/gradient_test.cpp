#include <doctest/doctest.h>

#include <memory>
#include <utility>

#include <pade/core/gradcheck.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>

#include "tests/devices.h"

using namespace pade;

namespace {

/// Puts tensors in the place of a module's parameters, in the order of visit().
class Replace : public ModuleVisitor {
 public:
  explicit Replace(const Tensor* next) : next_(next) {}
  void parameter(const std::string&, Tensor& tensor, ParameterRole, Tensor*) override {
    if (tensor.defined()) tensor = *next_++;
  }
  void child(const std::string&, Module& module, const ModuleSlot&) override {
    module.visit(*this);
  }

 private:
  const Tensor* next_;
};

/// Gradients of the input and of every parameter, on a device.
GradcheckReport check_module(Module& module, const Tensor& x, Device device) {
  module.to(DType::float64);
  module.to(device);
  std::vector<Tensor> inputs{x.to(device)};
  for (const Parameter& parameter : module.parameters())
    inputs.push_back(parameter.tensor.detach().clone());
  return gradcheck(
      [&](const std::vector<Tensor>& in) {
        Replace replace(in.data() + 1);
        module.visit(replace);
        return module(in[0]);
      },
      inputs, {.tolerance = 2e-6});
}

}  // namespace

DEVICE_TEST_CASE(
    "every layer's gradients, of input and parameters, agree with central differences") {
  manual_seed(1);
  std::vector<std::pair<NamedModule, Shape>> cases;
  auto add = [&](NamedModule module, const Shape& shape) {
    cases.emplace_back(std::move(module), shape);
  };
  add(named("Linear", Linear(5, 3)), {4, 5});
  add(named("Linear without bias", Linear(1, 7, {.bias = false})), {3, 1});
  add(named("Conv2d", Conv2d(4, 6, {.kernel = {3, 2}, .stride = 2, .padding = 1, .groups = 2})),
      {2, 4, 7, 5});
  add(named("Conv2d, dilated", Conv2d(1, 2, {.kernel = 3, .dilation = 2, .bias = false})),
      {1, 1, 6, 7});
  add(named("BatchNorm2d", BatchNorm2d(3)), {4, 3, 2, 3});
  add(named("BatchNorm2d, plain", BatchNorm2d(2, {.affine = false})), {3, 2, 3, 1});
  add(named("AvgPool2d", AvgPool2d(2, {.stride = Size2(1), .padding = 1})), {2, 2, 4, 5});
  add(named("MaxPool2d", MaxPool2d(3, {.stride = Size2(2)})), {2, 2, 7, 5});
  add(named("GlobalAvgPool2d", GlobalAvgPool2d()), {2, 3, 4, 1});
  add(named("Flatten", Flatten()), {2, 3, 4});
  add(named("hp1", Rational::hp1()), {3, 7});
  add(named("hp2 in groups", Rational::hp2(2)), {3, 4, 3, 1});
  add(named("pau per channel", make_activation("pau:groups=channel", 3)), {2, 3, 2, 2});
  add(named("pau, one numerator", make_activation("pau:groups=2,shared_numerator=true")),
      {2, 4, 3, 1});
  add(named("pau of the last axis", make_activation("pau:groups=2,axis=-1")), {2, 3, 4});
  add(named("Sequential",
            Sequential{Conv2d(1, 2, {.kernel = 3}), Rational::hp1(), Flatten(), Linear(8, 2)}),
      {2, 1, 4, 4});
  for (auto& [module, shape] : cases) {
    const auto report =
        check_module(*module.module, Rng(2).normal(shape, 0, 1, DType::float64), device);
    CHECK_MESSAGE(report.ok, module.name, ": ", report.message);
  }
}

DEVICE_TEST_CASE("batch norm's gradients in eval mode") {
  BatchNorm2d layer(3);
  layer(Rng(3).normal({4, 3, 2, 2}, 1, 2));  // running statistics of its own
  layer.eval();
  const auto report =
      check_module(layer, Rng(4).normal({2, 3, 3, 1}, 0, 1, DType::float64), device);
  CHECK_MESSAGE(report.ok, report.message);
}
