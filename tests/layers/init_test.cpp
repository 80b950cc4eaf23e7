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

TEST_CASE("dirac copies inputs to the first outputs of each group") {
  Rng rng(3), same(3);
  const Shape shape{10, 3, 2, 3};  // two groups of 5 outputs and 3 inputs
  const Tensor weight = initial_weight(Init::dirac, shape, rng, 2);
  const Tensor drawn = initial_weight(Init::pytorch, shape, same, 2);
  for (int64_t o = 0; o < 10; ++o)
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t y = 0; y < 2; ++y)
        for (int64_t x = 0; x < 3; ++x) {
          const bool copies = o % 5 < 3, is_copied = o % 5 == c && y == 1 && x == 1;
          CHECK(weight.at({o, c, y, x}) == (copies ? is_copied : drawn.at({o, c, y, x})));
        }
  const Tensor wide = initial_weight(Init::dirac, {2, 3}, rng);  // of a Linear
  CHECK(wide.to_vector<float>() == std::vector<float>{1, 0, 0, 0, 1, 0});
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
