#include <utility>

#include <doctest/doctest.h>

#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/conv2d.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/ops/pool.h>

#include "tests/devices.h"
#include "tests/fixtures/fixture.h"

using namespace pade;

namespace {

/// Calls f(prefix, dtype) for every case of the fixture whose name begins with `beginning`.
template <class F>
void for_each_case(const Fixture& fixture, const std::string& beginning, F&& f) {
  int count = 0;
  for (const std::string& name : fixture.cases()) {
    if (!name.starts_with(beginning)) continue;
    ++count;
    for (const DType dtype : {DType::float32, DType::float64}) {
      CAPTURE(name);
      CAPTURE(dtype);
      f(name + ".", dtype);
    }
  }
  CHECK(count > 0);
}

/// Compares the output and, after backward, the gradients of the leaves with the fixture's.
void check_case(const Fixture& fixture, const std::string& prefix, Tape& tape, const Tensor& output,
                std::initializer_list<std::pair<const char*, Tensor>> leaves) {
  const double tolerance = parity_tolerance(output.dtype());
  CHECK(relative_error(output, fixture.at(prefix + "output")) <= tolerance);
  backward(tape, output, fixture.at(prefix + "cotangent"));
  for (const auto& [name, leaf] : leaves) {
    if (!leaf.defined()) continue;
    CAPTURE(name);
    CHECK(relative_error(leaf.grad(), fixture.at(prefix + name + ".grad")) <= tolerance);
  }
}

std::vector<int32_t> geometry(const Fixture& fixture, const std::string& prefix) {
  return fixture.at(prefix + "geometry").to_vector<int32_t>();
}

}  // namespace

TEST_CASE("conv2d agrees with PyTorch") {
  const Fixture fixture("conv2d");
  for_each_case(fixture, "", [&](const std::string& prefix, DType dtype) {
    const Tensor input = fixture.leaf(prefix + "input", dtype);
    const Tensor weight = fixture.leaf(prefix + "weight", dtype);
    const Tensor bias = fixture.leaf(prefix + "bias", dtype);
    const auto g = geometry(fixture, prefix);
    Tape tape;
    const Tensor output = conv2d(input, weight, bias,
                                 {.stride = {g[0], g[1]},
                                  .padding = {g[2], g[3]},
                                  .dilation = {g[4], g[5]},
                                  .groups = g[6]});
    check_case(fixture, prefix, tape, output,
               {{"input", input}, {"weight", weight}, {"bias", bias}});
  });
}

DEVICE_TEST_CASE("pooling agrees with PyTorch") {
  const Fixture fixture("pool");
  for_each_case(fixture, "max_", [&](const std::string& prefix, DType dtype) {
    const Tensor input = fixture.leaf(prefix + "input", dtype, device);
    const auto g = geometry(fixture, prefix);
    Tape tape;
    const Tensor output = max_pool2d(input, g[0], g[1], g[2]);
    check_case(fixture, prefix, tape, output, {{"input", input}});
  });
  for_each_case(fixture, "avg_", [&](const std::string& prefix, DType dtype) {
    const bool count_padding = !prefix.starts_with("avg_valid_");
    const Tensor input = fixture.leaf(prefix + "input", dtype, device);
    const auto g = geometry(fixture, prefix);
    Tape tape;
    const Tensor output = avg_pool2d(input, g[0], g[1], g[2], count_padding);
    check_case(fixture, prefix, tape, output, {{"input", input}});
  });
  for_each_case(fixture, "global_avg", [&](const std::string& prefix, DType dtype) {
    const Tensor input = fixture.leaf(prefix + "input", dtype, device);
    Tape tape;
    const Tensor output = global_avg_pool2d(input);
    check_case(fixture, prefix, tape, output, {{"input", input}});
  });
}

DEVICE_TEST_CASE("batch_norm agrees with PyTorch") {
  const Fixture fixture("batch_norm");
  for_each_case(fixture, "", [&](const std::string& prefix, DType dtype) {
    const bool training = prefix.ends_with("_train.");
    const Tensor input = fixture.leaf(prefix + "input", dtype, device);
    const Tensor gamma = fixture.leaf(prefix + "weight", dtype, device);
    const Tensor beta = fixture.leaf(prefix + "bias", dtype, device);
    const Tensor mean = fixture.at(prefix + "running_mean").to(dtype).to(device).clone();
    const Tensor variance = fixture.at(prefix + "running_var").to(dtype).to(device).clone();
    Tape tape;
    const Tensor output = batch_norm(input, gamma, beta, mean, variance, {.training = training});
    check_case(fixture, prefix, tape, output,
               {{"input", input}, {"weight", gamma}, {"bias", beta}});

    const std::string after = training ? ".after" : "";
    const double tolerance = parity_tolerance(dtype);
    CHECK(relative_error(mean, fixture.at(prefix + "running_mean" + after)) <= tolerance);
    CHECK(relative_error(variance, fixture.at(prefix + "running_var" + after)) <= tolerance);
  });
}

DEVICE_TEST_CASE("cross_entropy agrees with PyTorch") {
  const Fixture fixture("cross_entropy");
  const std::pair<std::string, CrossEntropyOptions> cases[] = {
      {"mean", {}}, {"smoothed", {.label_smoothing = 0.1}}, {"sum", {.reduction = Reduction::sum}}};
  for (const DType dtype : {DType::float32, DType::float64})
    for (const auto& [name, options] : cases) {
      CAPTURE(name);
      const Tensor labels = fixture.at("labels").to(device);
      const Tensor logits = fixture.leaf("logits", dtype, device);
      Tape tape;
      const Tensor loss = cross_entropy(logits, labels, options);
      tape.backward(loss);
      CHECK(relative_error(loss, fixture.at(name + ".loss")) <= parity_tolerance(dtype));
      CHECK(relative_error(logits.grad(), fixture.at(name + ".grad")) <= parity_tolerance(dtype));
    }
}
