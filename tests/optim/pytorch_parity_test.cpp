#include <doctest/doctest.h>

#include <functional>
#include <memory>

#include <pade/optim/adam.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"
#include "tests/fixtures/fixture.h"

using namespace pade;

namespace {

using Parameters = std::vector<Parameter>;

struct Case {
  const char* name;
  std::function<std::unique_ptr<Optimizer>(const Parameters&)> make;
};

Case sgd(const char* name, SgdOptions options) {
  return {name, [=](const Parameters& p) { return std::make_unique<Sgd>(p, options); }};
}
Case adam(const char* name, AdamOptions options) {
  return {name, [=](const Parameters& p) { return std::make_unique<Adam>(p, options); }};
}
Case adamw(const char* name, AdamOptions options) {
  return {name, [=](const Parameters& p) { return std::make_unique<AdamW>(p, options); }};
}

const Case kCases[] = {
    sgd("sgd", {.lr = 0.1}),
    sgd("sgd_momentum", {.lr = 0.1, .momentum = 0.9}),
    sgd("sgd_nesterov", {.lr = 0.1, .momentum = 0.9, .nesterov = true}),
    sgd("sgd_decay", {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01}),
    sgd("sgd_nesterov_decay", {.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01}),
    adam("adam", {.lr = 0.05}),
    adam("adam_decay", {.lr = 0.05, .weight_decay = 0.01}),
    adam("adam_betas", {.lr = 0.05, .beta1 = 0.8, .beta2 = 0.9, .eps = 0.001}),
    adamw("adamw", {.lr = 0.05, .weight_decay = 0.01}),
};

}  // namespace

DEVICE_TEST_CASE("optimisers take the same steps as PyTorch's") {
  const Fixture fixture("optimizers");
  for (const DType dtype : {DType::float32, DType::float64})
    for (const Case& c : kCases) {
      Parameters parameters;
      for (const char* name : {"weight", "bias"})
        parameters.push_back({name, fixture.leaf(name, dtype).to(device).requires_grad_()});
      const auto optimizer = c.make(parameters);
      const int64_t steps = fixture.at("weight.grads").extent(0);
      for (int64_t step = 0; step < steps; ++step) {
        for (Parameter& p : parameters)
          p.tensor.set_grad(fixture.at(p.name + ".grads").to(dtype).to(device)[step]);
        optimizer->step();
        for (const Parameter& p : parameters) {
          CAPTURE(c.name);
          CAPTURE(p.name);
          CAPTURE(step);
          const Tensor expected = fixture.at(std::string(c.name) + "." + p.name)[step];
          CHECK(relative_error(p.tensor, expected) <= parity_tolerance(dtype));
        }
      }
    }
}
