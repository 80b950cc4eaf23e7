#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/tape.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>

using namespace pade;

TEST_CASE("every activation names its coefficients, and can be made with others") {
  for (const std::string& name : activation_names()) {
    CAPTURE(name);
    const auto activation = make_activation(name == "opau" ? "opau:basis=legendre" : name);
    const ActivationFunction function = activation->as_function();
    CHECK((function.rational() == nullptr) == (function.formula() != nullptr));
    std::vector<double> values = function.values();
    REQUIRE(function.names().size() == values.size());
    // All parameters of the module are there, in its order, and nothing else is.
    std::vector<double> held;
    for (const auto& [path, tensor] : activation->state())
      for (const double value : tensor.to(DType::float64).to_vector<double>())
        held.push_back(value);
    CHECK(values == held);

    for (double& value : values) value = 0.5 * value + 0.25;
    const ActivationFunction other = function.with(values);
    CHECK(other.values() == values);
    CHECK(other.names() == function.names());
    values.push_back(1);
    CHECK_THROWS_AS(function.with(values), Error);
  }
}

TEST_CASE("a function with other coefficients is that of a module which holds them") {
  const auto swish = make_activation("swish")->as_function().with({3});
  CHECK(swish.names() == std::vector<std::string>{"beta"});
  CHECK(swish(0.5) == doctest::Approx(0.5 / (1 + std::exp(-1.5))));
  CHECK(swish.poles(-5, 5).empty());

  const ActivationFunction hp1 = Rational::hp1().as_function();
  CHECK(hp1.names() ==
        std::vector<std::string>{"c0", "c1", "c2", "c3", "c4", "c5", "d1", "d2", "d3", "d4"});
  CHECK(make_activation("pau:form=full_sum,degrees=3/2")->as_function().names() ==
        std::vector<std::string>{"c0", "c1", "c2", "c3", "d0", "d1", "d2"});
  const ActivationFunction line = hp1.with({1, 2, 0, 0, 0, 0, 0, 0, 0, 0});  // 1 + 2 He_1
  CHECK(line(3) == doctest::Approx(7));
  CHECK(line.derivatives(3).slope == doctest::Approx(2));

  const ActivationFunction pole =
      RationalFunction{{Basis::monomial, RationalForm::unsafe}, {1}, {-0.5}};  // 1 / (1 - x/2)
  REQUIRE(pole.poles(-5, 5).size() == 1);
  CHECK(pole.poles(-5, 5)[0] == doctest::Approx(2));
  CHECK(pole.poles(-5, 1).empty());
}

TEST_CASE("groups have a function each") {
  auto module = std::make_unique<Rational>(Rational::hp1(2));
  NoGrad no_grad;
  module->numerator.slice(1, 2).fill_(0);
  CHECK(module->as_function(0).values()[0] != 0);
  CHECK(module->as_function(1).values()[0] == 0);
  CHECK_THROWS_AS(make_activation("swish")->as_function(1), Error);
}

TEST_CASE("a SPEC of what an activation is makes one that can hold the same, and learns the same") {
  for (const char* spec :
       {"relu", "swish", "swish:trainable=true", "prelu", "prelu:trainable=false", "smu", "erfact",
        "pserf", "era", "leaky_relu:slope=0.2", "hp1", "hp2:groups=3", "pau:zero_centred=true",
        "opau:basis=legendre,form=whole_sum,degrees=3/2,noise=0.1", "pau:form=full_sum",
        "hp1:trainable=false", "hermite:degree=2"}) {
    CAPTURE(std::string(spec));
    const auto made = make_activation(spec);
    const auto again = make_activation(made->spec());
    CHECK(again->spec() == made->spec());
    CHECK(again->description() == made->description());
    CHECK(again->is_learned() == made->is_learned());
    CHECK(again->parameter_count() == made->parameter_count());
    REQUIRE(again->state().size() == made->state().size());
    for (size_t i = 0; i < made->state().size(); ++i)
      CHECK(again->state()[i].second.shape() == made->state()[i].second.shape());
  }
  CHECK(make_activation("leaky_relu:slope=0.2")->spec() == "leaky_relu:slope=0.2");
  CHECK(make_activation("swish:trainable=true")->spec() == "swish:beta=1,trainable=true");
  CHECK(make_activation("hp1")->spec() == "opau:basis=hermite_he,form=termwise,degrees=5/4");
}

TEST_CASE("a function's SPEC makes it again, to the last bit of its coefficients") {
  for (const char* spec :
       {"relu", "swish:beta=0.1", "smu", "hp1", "hp2:degrees=3/2", "pau:form=full_sum",
        "opau:basis=laguerre,form=whole_sum", "opau:basis=legendre,form=unsafe,degrees=2/0"}) {
    CAPTURE(std::string(spec));
    const ActivationFunction function = make_activation(spec, 1, DType::float64)->as_function();
    const ActivationFunction again =
        make_activation(function.spec(), 1, DType::float64)->as_function();
    CHECK(again.values() == function.values());
    CHECK(again.names() == function.names());
    CHECK(again.spec() == function.spec());
    for (const double x : {-3.0, 0.0, 0.4}) CHECK(again(x) == function(x));
  }
  const auto made = make_activation("opau:basis=monomial,coefficients=0.1 1/0.5,groups=2");
  CHECK(dynamic_cast<Rational&>(*made).function(1).c == std::vector<double>{0.1f, 1});
  CHECK(made->as_function(0).spec() ==
        "opau:basis=monomial,form=termwise,coefficients=0.10000000149011612 1/0.5");
  const auto refused = [](const std::string& keys, const char* message) {
    CHECK_THROWS_WITH_AS(make_activation("opau:basis=monomial," + keys), doctest::Contains(message),
                         Error);
  };
  refused("coefficients=1 2", "coefficients expect c0 … cm/d1 … dn, with blanks between, got");
  refused("form=full_sum,coefficients=1", "c0 … cm/d0 … dn");
  refused("coefficients=1/2/3", "with blanks between, got \"1/2/3\"");
  refused("coefficients=1 x/2", "expect numbers with blanks between, got \"x\"");
  refused("coefficients=1/nan", "got \"nan\"");
  refused("coefficients=1/2,degrees=0/1", "degrees cannot be given beside them");
  refused("coefficients=1/2,init=gelu", "init cannot be given beside them");
  refused("coefficients=0 0 0 0 0 0 0 0 0 0/1", "degrees");
}

TEST_CASE("what is learned is said by the module") {
  for (const char* spec : {"hp1", "swish:trainable=true", "prelu", "smu", "erfact", "pserf", "era"})
    CHECK_MESSAGE(make_activation(spec)->is_learned(), spec);
  for (const char* spec : {"relu", "swish", "leaky_relu", "prelu:trainable=false"})
    CHECK_MESSAGE(!make_activation(spec)->is_learned(), spec);
}
