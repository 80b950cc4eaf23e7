#include <doctest/doctest.h>

#include <set>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/layers/activation.h>

#include "models/lenet.h"
#include "models/models.h"
#include "models/preactresnet.h"

using namespace pade;

namespace {

struct Case {
  const char* name;
  int64_t parameters;   // with ReLU and 10 classes
  int64_t activations;  // places that have one
};

/// The first five numbers are those of kuangliu/pytorch-cifar, but for the final batch norm of the
/// pre-activation networks.
const Case kCases[] = {{"preactresnet18", 11172170, 17},
                       {"preactresnet34", 21280330, 33},
                       {"mobilenetv2", 2296922, 36},
                       {"efficientnet-b0", 3598598, 48},
                       {"vgg16", 14728266, 13},
                       {"lenet", 62006, 4},
                       {"airnet", 1971352, 7}};

int64_t count_activations(Module& network) {
  int64_t count = 0;
  network.for_each_module([&](const std::string&, Module& module) {
    count += dynamic_cast<Activation*>(&module) != nullptr;
  });
  return count;
}

}  // namespace

TEST_CASE("the networks have the numbers of parameters that the papers' variants have") {
  for (const Case& c : kCases) {
    CAPTURE(std::string(c.name));
    Sequential network = models::make_model(c.name, "relu", 10);
    CHECK(network.parameter_count() == c.parameters);
    CHECK(count_activations(network) == c.activations);
    // 5 + 4 coefficients and c0 in every place; a rational one for each channel has more.
    CHECK(models::make_model(c.name, "hp1", 10).parameter_count() ==
          c.parameters + 10 * c.activations);
  }
  CHECK(models::lenet("relu", {.channels = 1, .image_size = 28}).parameter_count() == 61706);
}

TEST_CASE("images of 3×32×32 give logits for any number of classes") {
  const Tensor images = Rng(1).normal({1, 3, 32, 32}, 0, 1);
  for (const std::string& name : models::model_names()) {
    CAPTURE(name);
    Sequential network = models::make_model(name, "leaky_relu", 100);
    network.eval();
    CHECK(network(images).shape() == Shape{1, 100});
  }
}

TEST_CASE("activations of groups know how many channels they get") {
  const Tensor images = Rng(1).normal({2, 3, 32, 32}, 0, 1);
  for (const std::string& name : models::model_names()) {
    CAPTURE(name);
    Sequential network = models::make_model(name, "prelu", 10);
    Sequential grouped = models::make_model(name, "hp1:groups=channel", 10);
    grouped.eval();
    CHECK(grouped(images).shape() == Shape{2, 10});
    CHECK(count_activations(grouped) == count_activations(network));
  }
}

TEST_CASE("residual networks can be narrower, and the others say that they cannot") {
  for (const char* name : {"preactresnet18", "preactresnet34"})
    CHECK(models::make_model(name, "relu", 10, 16).parameter_count() <
          models::make_model(name, "relu", 10).parameter_count() / 15);
  CHECK_THROWS_WITH_AS(models::make_model("lenet", "relu", 10, 16),
                       doctest::Contains("the width of preactresnet18 and preactresnet34"), Error);
  CHECK_THROWS_WITH_AS(models::make_model("preactresnet18", "relu", 10, 0),
                       "make_model: expected a width of at least 1, got 0", Error);
}

TEST_CASE("all names are there, and a wrong one is told the nearest") {
  std::set<std::string> names;
  for (const Case& c : kCases) names.insert(c.name);
  const auto known = models::model_names();
  CHECK(std::set<std::string>(known.begin(), known.end()) == names);
  CHECK_THROWS_WITH_AS(models::make_model("preactresnet-18", "relu", 10),
                       doctest::Contains("unknown model \"preactresnet-18\"; did you mean "
                                         "\"preactresnet18\"? There are: lenet, "),
                       Error);
  CHECK_THROWS_WITH_AS(models::make_model("vgg16", "rleu", 10), doctest::Contains("relu"), Error);
  CHECK_THROWS_WITH_AS(models::make_model("vgg16", "relu", 0),
                       "make_model: expected at least 1 class, got 0", Error);
  CHECK_THROWS_WITH_AS(models::make_model("vgg16", "relu", 10, {}, {1, 28, 28}),
                       "make_model: expected images of [3, 32, 32], got [1, 28, 28]", Error);
  CHECK_THROWS_WITH_AS(models::make_model("lenet", "relu", 10, {}, {1, 28, 32}),
                       "make_model: expected square images [channels, side, side], got [1, 28, 32]",
                       Error);
  CHECK_THROWS_WITH_AS(models::lenet("relu", {.image_size = 30}),
                       "lenet: expected images of 28×28 or 32×32 pixels, got 30", Error);
}
