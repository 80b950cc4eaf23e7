#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/init.h>

using namespace pade;

namespace {

struct Moments {
  double mean, deviation, largest;
};

Moments moments(const Tensor& tensor) {
  Moments m{0, 0, 0};
  const std::vector<float> values = tensor.to_vector<float>();
  for (float v : values) m.mean += v / static_cast<double>(values.size());
  for (float v : values) {
    m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
    m.largest = std::max<double>(m.largest, std::abs(v));
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

}  // namespace

TEST_CASE("initial weights have the deviation that their authors chose") {
  const Shape shape{64, 32, 3, 3};  // fan_in 288, fan_out 576
  struct Case {
    const char* name;
    double deviation;
    bool uniform;
  };
  for (const Case& c : {Case{"pytorch", 1 / std::sqrt(3 * 288.0), true},
                        Case{"he_normal", std::sqrt(2 / 288.0), false},
                        Case{"he_normal_fan_out", std::sqrt(2 / 576.0), false},
                        Case{"he_uniform", std::sqrt(2 / 288.0), true},
                        Case{"glorot_normal", std::sqrt(2 / 864.0), false},
                        Case{"glorot_uniform", std::sqrt(2 / 864.0), true},
                        Case{"lecun_normal", std::sqrt(1 / 288.0), false},
                        Case{"lecun_uniform", std::sqrt(1 / 288.0), true}}) {
    CAPTURE(std::string(c.name));
    Rng rng(1, "init");
    const Tensor weight = initial_weight(init_named(c.name), shape, rng);
    const Moments m = moments(weight);
    CHECK(weight.requires_grad());
    // 18432 draws: five standard errors of mean and deviation.
    CHECK(std::abs(m.mean) <= 5 * c.deviation / std::sqrt(18432.0));
    CHECK(std::abs(m.deviation - c.deviation) <= 5 * c.deviation / std::sqrt(2 * 18432.0));
    if (c.uniform)
      CHECK(m.largest <= std::sqrt(3.0) * c.deviation * 1.000001);
    else
      CHECK(m.largest > std::sqrt(3.0) * c.deviation);
  }
}

TEST_CASE("an input of a grouped convolution reaches the outputs of its group only") {
  Rng rng(3, "init");
  const Moments m =
      moments(initial_weight(Init::he_normal_fan_out, {512, 1, 5, 5}, rng, 512));  // fan_out 25
  CHECK(std::abs(m.deviation - std::sqrt(2 / 25.0)) <=
        5 * std::sqrt(2 / 25.0) / std::sqrt(2 * 12800.0));
}

TEST_CASE("biases: PyTorch's are uniform, the others' zero") {
  Rng rng(2, "init");
  const Moments m = moments(initial_bias(Init::pytorch, {1000, 25}, rng));
  CHECK(m.largest <= 0.2);
  CHECK(m.largest >= 0.19);
  CHECK(moments(initial_bias(Init::he_normal, {1000, 25}, rng)).largest == 0);
}

TEST_CASE("an unknown initialisation lists the known ones") {
  CHECK_THROWS_WITH_AS(init_named("he"), doctest::Contains("did you mean \"he_normal\"?"), Error);
}
