#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/activation.h>
#include <pade/layers/conv.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/gaussian_analysis.h>
#include <pade/layers/study/value_distribution.h>

using namespace pade;

namespace {

GaussianMoments moments_of(const RationalFunction& g, double q = 1) {
  return gaussian_moments([&](double x) { return derivatives_of(g, x); }, q);
}
GaussianMoments moments_of(const std::string& spec) {
  const auto activation = make_activation(spec, 1, DType::float64);
  return gaussian_moments([&](double x) { return activation->derivatives(x); }, 1);
}

/// The mean square of every layer's pre-activations, in a plain network of 20 convolutions with
/// zero padding, 16 channels each, that is given noise.
std::vector<double> squares_by_layer(const std::string& spec, uint64_t seed) {
  manual_seed(seed);
  const auto activation = make_activation(spec);
  Tensor x = Rng(seed, "noise").normal({8, 16, 16, 16}, 0, 1);
  std::vector<double> squares;
  for (int layer = 0; layer < 20; ++layer) {
    Conv2d conv(16, 16, {.kernel = 3, .padding = 1, .init = Init::lecun_normal});
    x = conv(x);
    ValueDistribution values;
    values.add(x);
    squares.push_back(values.variance() + values.mean() * values.mean());
    x = (*activation)(x);
  }
  return squares;
}

}  // namespace

TEST_CASE("a scaled function has the second moment that was asked for, and else its old shape") {
  for (const RationalPreset* preset : {&hp1_preset(), &hp2_preset(), &pau_preset()})
    for (const double q : {0.5, 1.0, 3.0})
      for (const double wanted : {0.5, 1.0, 3.0}) {
        CAPTURE(preset->name);
        const RationalFunction scaled = scale_to_second_moment(preset->start, wanted, q);
        CHECK(moments_of(scaled, q).square == doctest::Approx(wanted).epsilon(1e-12));
        const double factor = scaled(1) / preset->start(1);
        CHECK(factor > 0);
        CHECK(scaled(-2) == doctest::Approx(factor * preset->start(-2)).epsilon(1e-12));
        CHECK(scaled.d == preset->start.d);
      }
}

TEST_CASE("functions and moments that no factor brings together are refused") {
  CHECK_THROWS_WITH_AS(scale_to_second_moment(hp1_preset().start, 0),
                       "scale_to_second_moment: the second moment must be positive and finite, got "
                       "0",
                       Error);
  CHECK_THROWS_AS(scale_to_second_moment(hp1_preset().start, 1, -1), Error);
  CHECK_THROWS_WITH_AS(scale_to_second_moment({{}, {0, 0}, {1}}),
                       "scale_to_second_moment: E[G(X)²] is 0, which no factor makes 1", Error);
}

TEST_CASE("the gain of a spec is that of the initialisation it names") {
  CHECK(moments_of("hp1:gain=true").square == doctest::Approx(1).epsilon(1e-9));
  CHECK(moments_of("hp2:gain=lecun_normal").square == doctest::Approx(1).epsilon(1e-9));
  CHECK(moments_of("pau:gain=he_uniform").square == doctest::Approx(0.5).epsilon(1e-9));
  CHECK(moments_of("opau:basis=legendre,init=tanh,gain=pytorch").square ==
        doctest::Approx(3).epsilon(1e-9));
  CHECK(moments_of("hp1:gain=false").square == moments_of("hp1").square);
  CHECK_THROWS_WITH_AS(make_activation("hp1:gain=he"),
                       doctest::Contains("unknown initialisation \"he\""), Error);

  const auto centred = make_activation("hp1:gain=true,zero_centred=true", 1, DType::float64);
  CHECK(std::abs(centred->derivatives(0).value) <= 1e-12);
  CHECK(moments_of("hp1:gain=true,zero_centred=true").square == doctest::Approx(1).epsilon(1e-9));
}

TEST_CASE("functions of mean zero are fits of the target less a constant") {
  for (const std::string spec :
       {"hp1:zero_mean=true", "hp2:gain=true,zero_mean=true", "pau:zero_mean=true,init=swish"}) {
    CAPTURE(spec);
    CHECK(std::abs(moments_of(spec).mean) <= 1e-3);
  }
  const auto shifted = make_activation("hp1:zero_mean=true");
  const double mean = 0.99 / std::sqrt(2 * std::acos(-1.0));  // of leaky_relu, slope 0.01
  CHECK(std::abs(shifted->derivatives(3).value - (3 - mean)) <= 0.03);
  CHECK(std::abs(shifted->derivatives(-3).value - (-0.03 - mean)) <= 0.03);
  CHECK_THROWS_WITH_AS(make_activation("hp1:zero_mean=true,zero_centred=true"),
                       "activation hp1: zero_mean and zero_centred exclude each other", Error);
}

TEST_CASE("initialisations assume the second moment that undoes their weights' variance") {
  const Shape shape{256, 256};
  for (const char* name : {"pytorch", "he_normal", "he_uniform", "glorot_normal", "glorot_uniform",
                           "lecun_normal", "lecun_uniform"}) {
    CAPTURE(std::string(name));
    Rng rng(1, "init");
    ValueDistribution weights;
    weights.add(initial_weight(init_named(name), shape, rng));
    // 65536 draws: five standard errors of a variance, which are widest for normal ones.
    CHECK(weights.variance() * 256 * assumed_second_moment(init_named(name)) ==
          doctest::Approx(1).epsilon(5 * std::sqrt(2 / 65536.0)));
  }
}

TEST_CASE("deep plain networks of functions of mean 0 and second moment 1 keep their variance") {
  for (const std::string spec : {"hp1:gain=true,zero_mean=true", "hp2:gain=true,zero_mean=true"})
    for (const uint64_t seed : {1, 2, 3}) {
      const std::vector<double> squares = squares_by_layer(spec, seed);
      for (size_t layer = 0; layer < squares.size(); ++layer) {
        CAPTURE(spec);
        CAPTURE(seed);
        CAPTURE(layer);
        CHECK(squares[layer] >= 0.5);
        CHECK(squares[layer] <= 2);
      }
    }
}

TEST_CASE("without the gain signals fade, and with it alone they drift, as the mean adds up") {
  // Leaky ReLU halves the variance in each layer, until what is left is G(0)², which is not quite
  // 0.
  CHECK(squares_by_layer("hp1", 1).back() <= 0.1);
  // E[G]² is a third of E[G²]; it makes all inputs of a deep layer alike, so that its variance is
  // one draw of few weights instead of a mean over many inputs.
  double least = 1;
  for (const uint64_t seed : {1, 2, 3})
    least = std::min(least, squares_by_layer("hp1:gain=true", seed).back());
  CHECK(least <= 0.5);
}
