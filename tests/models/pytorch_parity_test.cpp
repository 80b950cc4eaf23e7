#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <pade/core/ops/conv2d.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/sgd.h>

#include "models/efficientnet.h"
#include "models/models.h"
#include "tests/fixtures/fixture.h"

using namespace pade;

namespace {

/// Numbers in [−0.5, 0.5) with 24 bits that make_model_fixtures.py has too: SplitMix64 (Steele et
/// al. 2014) at the FNV-1a hash of the name plus 1, 2, …
class Formula {
 public:
  explicit Formula(const std::string& name) {
    for (const char c : name) key_ = (key_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  double operator[](uint64_t i) const {
    uint64_t z = key_ + (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<double>(z >> 40) * 0x1p-24 - 0.5;
  }

 private:
  uint64_t key_ = 0xcbf29ce484222325;
};

Tensor scaled(const std::string& name, const Shape& shape, double width, double middle = 0) {
  const Formula formula(name);
  Tensor tensor = Tensor::empty(shape);
  float* values = tensor.mutable_data<float>();
  for (int64_t i = 0; i < tensor.size(); ++i)
    values[i] = static_cast<float>(formula[static_cast<uint64_t>(i)] * width + middle);
  return tensor;
}

/// Gives every parameter the fixture's numbers.
void fill(Module& network, const Fixture& fixture) {
  for (const Parameter& p : network.parameters()) {
    const Shape& shape = p.tensor.shape();
    Tensor target = p.tensor.detach();
    if (p.role == ParameterRole::activation)  // the same in all places
      target.copy_(fixture.at(p.name.substr(p.name.rfind('.') + 1)).to(DType::float32));
    else if (shape.rank() > 1)
      target.copy_(scaled(p.name, shape, 2 * std::sqrt(6.0 / shape.size_from(1))));
    else if (p.name.ends_with("weight"))
      target.copy_(scaled(p.name, shape, 0.4, 1));
    else
      target.copy_(scaled(p.name, shape, 0.2));
  }
}

/// Norm, largest magnitude, the product with the formula's numbers for `name`, four elements.
std::vector<double> digest(const std::string& name, const Tensor& tensor) {
  const auto values = tensor.to(DType::float64).to_vector<double>();
  const Formula formula(name);
  double squares = 0, largest = 0, product = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    squares += values[i] * values[i];
    largest = std::max(largest, std::abs(values[i]));
    product += values[i] * formula[i];
  }
  std::vector<double> result{std::sqrt(squares), largest, product};
  for (size_t k = 0; k < 4; ++k) result.push_back(values[(values.size() - 1) * k / 3]);
  return result;
}

/// The largest difference between two digests: norm and product as parts of the expected norm, the
/// others of the largest magnitude. A gradient that is 0 but for rounding, as that of a bias before
/// batch norm is, is measured by `scale`.
double difference(const std::vector<double>& ours, const Tensor& expected, double scale) {
  const auto truth = expected.to_vector<double>();
  const bool zero = truth[0] < 1e-9 * scale;
  double worst = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const bool by_norm = i == 0 || i == 2;
    const double error = std::abs(ours[i] - truth[i]) / (zero ? scale : truth[by_norm ? 0 : 1]);
    if (!(error <= worst)) worst = error;
    if (std::isnan(worst)) break;
  }
  return worst;
}

Sequential make_network(const std::string& model, const std::string& activation) {
  if (model == "efficientnet-b0")
    return models::efficientnet_b0(activation, {.dropout = 0, .drop_connect = 0});
  Sequential network = models::make_model(model, activation, 10);
  network.for_each_module([](const std::string&, Module& module) {  // an airnet's, too
    if (auto* conv = dynamic_cast<Conv2d*>(&module)) conv->weight.requires_grad_();
    if (auto* norm = dynamic_cast<BatchNorm*>(&module)) norm->weight.requires_grad_();
  });
  return network;
}

/// One step of SGD of a network with the fixture's numbers, compared with PyTorch's.
void compare_step(const std::string& model, const std::string& activation, DType dtype,
                  bool gradients, double tolerance) {
  CAPTURE(model);
  CAPTURE(activation);
  CAPTURE(dtype);
  const Fixture expected("model_" + model + "_" + activation);
  Sequential network = make_network(model, activation);
  fill(network, expected);
  network.to(dtype);
  const int64_t count = expected.at("logits").extent(0);
  std::vector<int32_t> labels;
  for (int32_t i = 0; i < count; ++i) labels.push_back((3 + 5 * i) % 10);
  const std::vector<Parameter> parameters = network.parameters();
  allow_winograd(false);  // whose rounding errors deep networks amplify
  auto groups = default_groups(parameters, 0.1, 5e-4, 0.1);
  for (ParameterGroup& group : groups) group.rule = UpdateRule::own;  // as the fixture has it
  Sgd optimizer(groups, {.momentum = 0.9});
  Tape tape;
  const Tensor logits = network(scaled("images", {count, 3, 32, 32}, 3.4).to(dtype));
  const Tensor loss = cross_entropy(logits, Tensor::from(labels, {count}));
  tape.backward(loss);
  optimizer.step();
  allow_winograd(true);

  CHECK(relative_error(logits, expected.at("logits")) <= tolerance);
  CHECK(std::abs(loss.item() / expected.at("loss").item() - 1) <= tolerance);
  double scale = 0;
  for (const Parameter& p : parameters)
    scale = std::max(scale, expected.at(p.name + ".grad").at({0}));
  int64_t compared = 0;
  auto compare = [&](const std::string& name, const std::string& suffix, const Tensor& tensor) {
    if (!expected.has(name + suffix)) return;
    CAPTURE(name);
    CAPTURE(suffix);
    CHECK(difference(digest(name, tensor), expected.at(name + suffix), scale) <= tolerance);
    ++compared;
  };
  for (const auto& [name, tensor] : network.state())
    if (name.find("running_") != std::string::npos) compare(name, ".after", tensor);
  if (gradients)
    for (const Parameter& p : parameters) {
      compare(p.name, ".grad", p.tensor.grad());
      compare(p.name, ".after", p.tensor);
    }
  const auto names = expected.names();
  CHECK(compared == std::count_if(names.begin(), names.end(), [&](const std::string& name) {
          return gradients ? name.ends_with(".grad") || name.ends_with(".after")
                           : name.find("running_") != std::string::npos;
        }));
}

}  // namespace

TEST_CASE("the networks have PyTorch's logits, loss, gradients and step in float64") {
  for (const char* model : {"lenet", "preactresnet18"})
    for (const char* activation : {"relu", "hp1"})
      compare_step(model, activation, DType::float64, true, 1e-9);
  compare_step("preactresnet34", "relu", DType::float64, true, 1e-9);
  for (const char* model : {"mobilenetv2", "efficientnet-b0"})
    for (const char* activation : {"relu", "swish"})
      compare_step(model, activation, DType::float64, true, 1e-9);
  compare_step("vgg16", "relu", DType::float64, true, 1e-9);
  compare_step("airnet", "swish", DType::float64, true, 1e-9);
}

TEST_CASE("the networks have PyTorch's logits, loss, gradients and step in float32") {
  constexpr double kTolerance = 1e-4;
  compare_step("lenet", "relu", DType::float32, true, kTolerance);
  compare_step("lenet", "hp1", DType::float32, true, kTolerance);
  compare_step("mobilenetv2", "swish", DType::float32, true, kTolerance);
  compare_step("efficientnet-b0", "swish", DType::float32, true, kTolerance);
  compare_step("airnet", "swish", DType::float32, true, kTolerance);
  // In deep networks some inputs of ReLU are so near 0, and of HP-1 so near a root of its
  // polynomials, that float32 rounds them across the kink there, also in PyTorch, whose gradients
  // are off by up to 1e-2 then. What has no kink is compared.
  compare_step("preactresnet18", "hp1", DType::float32, false, kTolerance);
  for (const char* model :
       {"preactresnet18", "preactresnet34", "mobilenetv2", "efficientnet-b0", "vgg16"})
    compare_step(model, "relu", DType::float32, false, kTolerance);
}
