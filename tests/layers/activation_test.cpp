#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/gaussian_analysis.h>
#include <pade/optim/adam.h>

using namespace pade;

namespace {

double at(Module& activation, double x) { return activation(Tensor::full({1, 4}, x)).at({0, 0}); }

Rational& as_rational(const std::unique_ptr<Activation>& module) {
  return dynamic_cast<Rational&>(*module);
}

}  // namespace

TEST_CASE("every activation can be made by its name alone, or says what is missing") {
  for (const std::string& name : activation_names()) {
    CAPTURE(name);
    const auto activation = make_activation(name == "opau" ? "opau:basis=legendre" : name);
    CHECK(std::isfinite(at(*activation, 0.5)));
  }
  CHECK_THROWS_WITH_AS(make_activation("opau"),
                       "activation opau: name its basis, as in opau:basis=legendre", Error);
}

TEST_CASE("values of the simple ones") {
  CHECK(at(*make_activation("relu"), -2) == 0);
  CHECK(at(*make_activation("leaky_relu"), -2) == doctest::Approx(-0.02));
  CHECK(at(*make_activation("leaky_relu:slope=0.25"), -2) == -0.5);
  CHECK(at(*make_activation("tanh"), 0.5) == doctest::Approx(std::tanh(0.5)));
  CHECK(at(*make_activation("sigmoid"), 0) == 0.5);
  CHECK(at(*make_activation("identity"), -3) == -3);
}

TEST_CASE("constants of formulas are keys, and learn when they are told to or usually do") {
  const auto learned = [](const char* spec) { return make_activation(spec)->parameter_count(); };
  CHECK(learned("swish") == 0);
  CHECK(learned("swish:trainable=true") == 1);
  CHECK(learned("prelu") == 1);
  CHECK(learned("prelu:trainable=false") == 0);
  CHECK(make_activation("swish:beta=2")->description() == "swish(beta=2)");
  CHECK(at(*make_activation("swish:beta=2"), 1) == doctest::Approx(1 / (1 + std::exp(-2.0))));
  CHECK(make_activation("elu:alpha=2")->derivatives(-1).slope ==
        doctest::Approx(2 * std::exp(-1.0)));
}

TEST_CASE("of several constants only those learn that usually do") {
  const auto smu = make_activation("smu");
  Tape tape;
  tape.backward(sum((*smu)(Tensor::full({2}, 0.5))));
  const Tensor gradient = smu->parameters()[0].tensor.grad();
  CHECK(gradient.at({0}) == 0);
  CHECK(gradient.at({1}) != 0);
}

TEST_CASE("an activation's derivatives are those of its forward pass") {
  for (const std::string& name : activation_names())
    for (const char* keys : {"", "zero_centred=true"}) {
      if (*keys && find_formula(name)) continue;
      std::string spec = name + (name == "opau" ? ":basis=legendre" : "");
      if (*keys) spec += (name == "opau" ? "," : ":") + std::string(keys);
      CAPTURE(spec);
      const auto activation = make_activation(spec);
      activation->to(DType::float64);
      (*activation)(
          Tensor::zeros({1, 4}, DType::float64));  // takes c to P(0) = 0 in this precision
      for (const double x : {-2.3, -0.4, 0.7, 3.1}) {
        const auto value = [&](double x) {
          return (*activation)(Tensor::full({1, 4}, x, DType::float64)).at({0, 0});
        };
        const Derivatives at_x = activation->derivatives(x);
        CHECK(std::abs(at_x.value - value(x)) <= 1e-12 * std::max(1.0, std::abs(at_x.value)));
        const double step = 1e-4;
        CHECK(std::abs(at_x.slope - (value(x + step) - value(x - step)) / (2 * step)) <= 1e-6);
        CHECK(std::abs(at_x.curvature -
                       (value(x + step) - 2 * value(x) + value(x - step)) / (step * step)) <= 1e-5);
      }
    }
}

TEST_CASE("groups cut the axis that they are told to, and do not guess") {
  const auto make = [](const std::string& axis) {
    auto activation = make_activation("pau:groups=2" + axis);
    auto& rational = dynamic_cast<Rational&>(*activation);
    rational.numerator.copy_(Rng(1).normal(rational.numerator.shape(), 0, 1));
    return activation;
  };
  const Tensor tokens = Rng(2).normal({2, 3, 4}, 0, 1), channels = transpose(tokens, 1, 2);
  const auto last = make(",axis=-1"), second = make(",axis=1"), unsaid = make("");
  CHECK((*last)(tokens).to_vector<float>() ==
        transpose((*second)(channels), 1, 2).to_vector<float>());
  CHECK(last->spec().ends_with("groups=2,axis=-1"));
  CHECK_THROWS_WITH_AS((*unsaid)(tokens),
                       doctest::Contains("the channels of [2, 3, 4] may be axis 1 or the last; say "
                                         "which: axis=1 or axis=-1 in the SPEC"),
                       Error);
  CHECK_THROWS_WITH_AS((*last)(channels), doctest::Contains("cannot be cut into 2"), Error);
  CHECK_THROWS_WITH_AS(make(",axis=2"), doctest::Contains("axis 1 or -1 (the last), got 2"), Error);
}

TEST_CASE("zero-centred ones stay 0 at 0 through training") {
  for (const char* spec :
       {"hp1:zero_centred=true", "hp2:zero_centred=true", "pau:zero_centred=true,groups=2",
        "opau:basis=laguerre,zero_centred=true", "opau:basis=chebyshev_t,zero_centred=true"}) {
    CAPTURE(std::string(spec));
    const auto activation = make_activation(spec);
    const auto at_zero = [&] { return activation->derivatives(0).value; };
    CHECK(std::abs(at_zero()) <= 1e-6);
    Adam optimizer(activation->parameters(), {.lr = 0.1});
    const Tensor x = Rng(1).normal({64, 2}, 0, 1);
    const auto before = activation->state()[0].second.to_vector<float>();
    for (int step = 0; step < 5; ++step) {
      Tape tape;
      tape.backward(mse((*activation)(x), x * 2));
      optimizer.step();
    }
    CHECK(std::abs(at(*activation, 0)) <= 1e-5);
    CHECK(std::abs(at_zero()) <= 1e-6);
    CHECK(activation->state()[0].second.to_vector<float>() != before);
  }
}

TEST_CASE("keys of the rational ones") {
  const auto preset = make_activation("hp1");
  CHECK(as_rational(preset).function().c[0] == doctest::Approx(hp1_preset().start.c[0]));
  CHECK(as_rational(preset).parameters().size() == 2);

  const auto fitted = make_activation(
      "opau:basis=laguerre,form=whole_sum,degrees=3/2,init=swish,"
      "interval=-4:4,groups=channel",
      4);
  Rational& rational = as_rational(fitted);
  CHECK(rational.options().basis == Basis::laguerre);
  CHECK(rational.options().form == RationalForm::whole_sum);
  CHECK(rational.numerator.shape() == Shape{4, 4});
  CHECK(rational.denominator.shape() == Shape{4, 2});
  for (const double x : {-2.0, 0.5, 3.0})
    CHECK(std::abs(at(rational, x) - x / (1 + std::exp(-x))) <= 0.05);

  const auto full = make_activation("pau:form=full_sum,degrees=3/2,groups=2");
  CHECK(as_rational(full).denominator.shape() == Shape{2, 3});
  CHECK(as_rational(full).description() == "Rational(monomial, full_sum, 3/2, groups=2)");
  CHECK(as_rational(full).formula() == "sum_0^3 c_i f_i / (0.1 + |sum_0^2 d_j f_j|), f = monomial");

  CHECK(as_rational(make_activation("hp2:groups=2")).groups() == 2);
  CHECK(make_activation("pau:trainable=false")->parameters().empty());
  CHECK(make_activation("pau:trainable=false")->state().size() == 2);
}

TEST_CASE("Hermite polynomials start as ReLU's projection: the rest is orthogonal to all of them") {
  for (int degree = 1; degree <= 8; ++degree) {
    CAPTURE(degree);
    const auto activation =
        make_activation("hermite:degree=" + std::to_string(degree), 1, DType::float64);
    for (int power = 0; power <= degree; ++power) {
      constexpr double kStep = 1e-3;  // the trapezoidal rule, with the kink on its grid
      double sum = 0, size = 0;
      for (int i = -12000; i <= 12000; ++i) {
        const double x = i * kStep, monomial = std::pow(x, power) * std::exp(-x * x / 2);
        sum += (std::max(x, 0.0) - activation->derivatives(x).value) * monomial;
        size += std::abs(monomial);
      }
      CHECK(std::abs(sum) <= 1e-6 * size);
    }
  }
  CHECK_THROWS_AS(make_activation("hermite:degree=9"), Error);
  CHECK_THROWS_AS(make_activation("hermite:degree=0"), Error);
}

TEST_CASE("wrong specs say what is right") {
  auto message = [](const std::string& spec) -> std::string {
    try {
      make_activation(spec);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(message("rleu").starts_with(
      "unknown activation \"rleu\"; did you mean \"relu\"? There are: identity, relu, "));
  CHECK(message("") == "activation \"\": the name is empty");
  CHECK(message("relu:slope=1") == "activation relu has no keys, got \"slope\"");
  CHECK(message("leaky_relu:slop=1") ==
        "unknown key of activation leaky_relu \"slop\"; did you mean \"slope\"? There are: slope, "
        "trainable");
  CHECK(message("leaky_relu:slope=steep") ==
        "activation leaky_relu: slope expects a number, got \"steep\"");
  CHECK(message("hp1:") == "activation \"hp1:\": expected key=value after the colon");
  CHECK(message("hp1:groups") ==
        "activation \"hp1:groups\": expected key=value after the colon, got \"groups\"");
  CHECK(message("hp1:groups=1,groups=2") ==
        "activation \"hp1:groups=1,groups=2\": groups is given twice");
  CHECK(message("hp1:degrees=9/4") ==
        "activation hp1: degrees are whole numbers from 0/0 to 8/8, got \"9/4\"");
  CHECK(message("hp1:degrees=5") ==
        "activation hp1: degrees expects two numbers with '/' between them, got \"5\"");
  CHECK(message("hp1:trainable=maybe") ==
        "activation hp1: trainable expects true or false, got \"maybe\"");
  CHECK(message("hp1:groups=0").starts_with("activation hp1: groups expects a whole number"));
  CHECK(message("hp1:groups=-1").starts_with("activation hp1: groups expects a whole number"));
  for (const char* groups : {"1.5", "1e30", "-1e30", "9223372036854775808"})
    CHECK(message(std::string("hp1:groups=") + groups)
              .starts_with("activation hp1: groups: expected a whole number"));
  for (const char* degree : {"2.5", "1e10", "-1e10", "2147483648"})
    CHECK(message(std::string("hermite:degree=") + degree)
              .starts_with("activation hermite: degree: expected a whole number"));
  CHECK(message("hermite:degree=9") == "hermite: expected a degree from 1 to 8, got 9");
  CHECK(message("hp1:degrees=1e30/4") ==
        "activation hp1: degrees are whole numbers from 0/0 to 8/8, got \"1e30/4\"");
  CHECK(message("hp1:basis=hermite").find("did you mean \"hermite_he\"?") != std::string::npos);
  CHECK(message("hp1:noise=1") == "Rational: the noise must be in [0, 1), got 1");
  CHECK(message("hp1:noise=-0.1") == "Rational: the noise must be in [0, 1), got -0.1");
  CHECK(message("hp1:form=fullsum").find("did you mean \"full_sum\"?") != std::string::npos);
  CHECK(message("hp1:init=gleu").find("did you mean \"gelu\"?") != std::string::npos);
}
