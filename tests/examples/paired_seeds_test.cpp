#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include <pade/core/random.h>

#include "models/lenet.h"
#include "models/models.h"

using namespace pade;

namespace {

/// Everything that is not part of an activation.
std::map<std::string, std::vector<float>> weights_of(Sequential network) {
  std::map<std::string, std::vector<float>> weights;
  for (const Parameter& parameter : network.parameters())
    if (parameter.role != ParameterRole::activation)
      weights[parameter.name] = parameter.tensor.to_vector<float>();
  return weights;
}

}  // namespace

TEST_CASE("networks of one seed start with the same weights, whatever the activation") {
  const auto start = [](uint64_t seed, const std::string& model, const std::string& activation) {
    manual_seed(seed);
    return weights_of(model == "lenet for 28x28"
                          ? models::lenet(activation, {.channels = 1, .image_size = 28})
                          : models::make_model(model, activation, 10));
  };
  for (const std::string model : {"lenet for 28x28", "lenet", "mobilenetv2"}) {
    CAPTURE(model);
    const auto expected = start(3, model, "relu");
    CHECK(expected.size() > 4);
    CHECK(start(4, model, "relu") != expected);
    for (const char* activation :
         {"prelu", "hp1", "hp1:noise=0.1", "hp2:groups=channel", "tanhsoft1"}) {
      CAPTURE(std::string(activation));
      CHECK(start(3, model, activation) == expected);
    }
  }
}
