#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>

using namespace pade;

namespace {

double at(Module& activation, double x) { return activation(Tensor::full({1, 4}, x)).at({0, 0}); }

Rational& as_rational(const std::unique_ptr<Module>& module) {
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

  CHECK(as_rational(make_activation("hp2:groups=2")).groups() == 2);
  CHECK(make_activation("pau:trainable=false")->parameters().empty());
  CHECK(make_activation("pau:trainable=false")->state().size() == 2);
}

TEST_CASE("wrong specs say what is right") {
  auto message = [](const char* spec) -> std::string {
    try {
      make_activation(spec);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(message("rleu") ==
        "unknown activation \"rleu\"; did you mean \"relu\"? There are: hp1, hp2, "
        "identity, leaky_relu, opau, pau, relu, sigmoid, tanh");
  CHECK(message("") == "activation \"\": the name is empty");
  CHECK(message("relu:slope=1") == "activation relu has no keys, got \"slope\"");
  CHECK(message("leaky_relu:slop=1") ==
        "unknown key of activation leaky_relu \"slop\"; did you mean \"slope\"? There are: slope");
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
  CHECK(message("hp1:basis=hermite").find("did you mean \"hermite_he\"?") != std::string::npos);
  CHECK(message("hp1:init=gleu").find("did you mean \"gelu\"?") != std::string::npos);
}
