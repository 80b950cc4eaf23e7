#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/rational.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/layers/activation.h>
#include <pade/layers/checkpoint.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"

using namespace pade;

namespace {

/// Of a linear() layer: at 0 it is c_0 = 1 times its factor.
float factor_of_c0(Module& layer, Device device) {
  return layer(Tensor::zeros({1}).to(device)).to(Device::cpu).item();
}

Rational linear(double noise) {
  Rational layer({{Basis::monomial, RationalForm::termwise}, {1, 1}, {1}});
  layer.set_noise(noise);
  return layer;
}

}  // namespace

DEVICE_TEST_CASE("noise multiplies every coefficient by a factor of its own, again in each call") {
  manual_seed(1);
  Rational layer({{Basis::hermite_he, RationalForm::whole_sum}, {0.5, 1, 0.25}, {0.5, -0.25}}, 2,
                 DType::float64);
  layer.set_noise(0.1);
  layer.to(device);
  Rng stream = *layer.generators().at(0).second;
  const Tensor x = Rng(2).normal({5, 4}, 0, 1, DType::float64).to(device);
  for (int call = 0; call < 3; ++call) {
    const Tensor c = Tensor::from<double>({0.5, 1, 0.25, 0.5, 1, 0.25}, {2, 3}) *
                     stream.uniform({2, 3}, 0.9, 1.1, DType::float64);
    const Tensor d = Tensor::from<double>({0.5, -0.25, 0.5, -0.25}, {2, 2}) *
                     stream.uniform({2, 2}, 0.9, 1.1, DType::float64);
    const auto expected = rational(x, c.to(device), d.to(device), layer.options());
    CHECK(layer(x).to_vector<double>() == expected.to_vector<double>());
  }
  CHECK(layer.function(1).c == std::vector<double>{0.5, 1, 0.25});
}

DEVICE_TEST_CASE("the factors are uniform in [1 - noise, 1 + noise]") {
  manual_seed(2);
  Rational layer = linear(0.2);
  layer.to(device);
  constexpr int kCalls = 2000;
  double sum = 0, squares = 0, least = 2, most = 0;
  for (int call = 0; call < kCalls; ++call) {
    const double factor = factor_of_c0(layer, device);
    sum += factor;
    squares += (factor - 1) * (factor - 1);
    least = std::min(least, factor);
    most = std::max(most, factor);
  }
  const double deviation = 0.2 / std::sqrt(3.0);  // of the uniform distribution
  CHECK(std::abs(sum / kCalls - 1) <= 4 * deviation / std::sqrt(kCalls));
  CHECK(std::sqrt(squares / kCalls) == doctest::Approx(deviation).epsilon(0.05));
  CHECK(least >= 0.8f);
  CHECK(least < 0.81);
  CHECK(most <= 1.2f);
  CHECK(most > 1.19);
}

TEST_CASE("without noise, and in eval mode, coefficients are what they are and nothing is drawn") {
  manual_seed(3);
  const Tensor x = Rng(4).normal({7, 2}, 0, 1);
  Rational plain = Rational::hp1(), noisy = Rational::hp1();
  CHECK(plain.generators().empty());
  noisy.set_noise(0.1);
  const auto without = plain(x).to_vector<float>();
  CHECK(noisy(x).to_vector<float>() != without);
  const uint64_t drawn = noisy.generators().at(0).second->counter();
  noisy.eval();
  CHECK(noisy(x).to_vector<float>() == without);
  CHECK(noisy.generators().at(0).second->counter() == drawn);
  CHECK(noisy.derivatives(0.5).value == plain.derivatives(0.5).value);
  noisy.train();
  noisy.set_noise(0);
  CHECK(noisy(x).to_vector<float>() == without);
  CHECK(noisy.generators().empty());
}

namespace {

/// With the same factors each time. P(0) = c_0 − c_2 in this basis.
Rational noisy_layer(const Tensor& numerator, const Tensor& denominator) {
  manual_seed(6);
  Rational layer({{Basis::hermite_he, RationalForm::full_sum}, {0, 0, 0}, {0, 0}}, 2,
                 DType::float64);
  layer.set_noise(0.3);
  layer.to(numerator.device());
  layer.numerator = numerator;
  layer.denominator = denominator;
  return layer;
}

}  // namespace

DEVICE_TEST_CASE("gradients go through the noise") {
  Rng rng(5);
  const Tensor x = rng.uniform({3, 2, 2, 1}, 1, 2, DType::float64).to(device),
               c = Tensor::from<double>({0.5, 1, 0.5, 0.25, -1, 0.25}, {2, 3}).to(device),
               d = rng.uniform({2, 2}, 0.2, 1, DType::float64).to(device);
  const auto report = gradcheck(
      [](const std::vector<Tensor>& in) { return noisy_layer(in[1], in[2])(in[0]); }, {x, c, d});
  CHECK_MESSAGE(report.ok, report.message);

  const auto zero_centred = [&](const Tensor& numerator, const Tensor& denominator) {
    Rational layer = noisy_layer(numerator, denominator);
    layer.keep_zero_centred();
    return layer;
  };
  const auto centred_report = gradcheck(
      [&](const std::vector<Tensor>& in) { return zero_centred(c, in[1])(in[0]); }, {x, d});
  CHECK_MESSAGE(centred_report.ok, centred_report.message);
  // Along what keeps c_0 − c_2 = 0.
  for (const std::vector<double>& row : {std::vector<double>{1, 0, 1}, {0, 1, 0}, {1, -2, 1}}) {
    const Tensor along = Tensor::from<double>({row[0], row[1], row[2], 0, 0, 0}, {2, 3}).to(device);
    const double step = 1e-5;
    const auto total = [&](double by) {
      const Tensor moved = c + along * by;
      return sum(zero_centred(moved, d)(x)).to(Device::cpu).item();
    };
    const Tensor leaf = c.clone().requires_grad_();
    Rational layer = zero_centred(leaf, d);
    Tape tape;
    tape.backward(sum(layer(x)));
    CHECK(sum(layer.numerator.grad() * along).to(Device::cpu).item() ==
          doctest::Approx((total(step) - total(-step)) / (2 * step)).epsilon(1e-6));
  }
}

TEST_CASE("zero-centred ones are 0 at 0 with noise, and learn") {
  manual_seed(7);
  for (const char* spec :
       {"hp1:zero_centred=true,noise=0.3", "hp2:zero_centred=true,groups=2,noise=0.3",
        "hermite:zero_centred=true,noise=0.3"}) {
    CAPTURE(std::string(spec));
    const auto layer = make_activation(spec);
    const Tensor x = Rng(8).normal({32, 2}, 0, 1);
    const auto before = layer->state()[0].second.to_vector<float>();
    Sgd optimizer(layer->parameters(), {.lr = 0.01f});
    for (int step = 0; step < 5; ++step) {
      for (const float y : (*layer)(Tensor::zeros({3, 2})).to_vector<float>())
        CHECK(std::abs(y) <= 1e-5);
      Tape tape;
      tape.backward(mse((*layer)(x), x * 2));
      optimizer.step();
    }
    CHECK(layer->state()[0].second.to_vector<float>() != before);
    CHECK(std::abs(layer->derivatives(0).value) <= 1e-6);
  }
}

TEST_CASE("noise goes on where its generator stood, and is the same in a checkpointed block") {
  const Tensor x = Rng(9).normal({6, 4}, 0, 1);
  const auto trained = [&](Module& network) {
    Tape tape;
    tape.backward(mse(network(x), x));
    std::vector<std::vector<float>> bits;
    for (const Parameter& parameter : network.parameters())
      bits.push_back(parameter.tensor.grad().to_vector<float>());
    return bits;
  };
  manual_seed(10);
  Rational layer = linear(0.1);
  trained(layer);
  const Rng here = *layer.generators().at(0).second;
  const auto next = trained(layer);
  manual_seed(11);
  Rational resumed = linear(0.1);
  CHECK(trained(resumed) != next);
  *resumed.generators().at(0).second = here;
  CHECK(trained(resumed) == next);

  manual_seed(12);
  Sequential plain{linear(0.2)};
  manual_seed(12);
  CheckpointedSequential block{linear(0.2)};
  CHECK(trained(block) == trained(plain));
  CHECK(trained(block) == trained(plain));
}

TEST_CASE("every layer has its own noise, which the seed decides") {
  manual_seed(13);
  Rational first = linear(0.1), second = linear(0.1);
  const float a = factor_of_c0(first, Device::cpu);
  CHECK(factor_of_c0(second, Device::cpu) != a);
  manual_seed(13);
  Rational again = linear(0.1);
  CHECK(factor_of_c0(again, Device::cpu) == a);
  CHECK(make_activation("hp1:noise=0.1")->description() ==
        "Rational(hermite_he, termwise, 5/4, noise=0.1)");
}
