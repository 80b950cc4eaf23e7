#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/scope.h>
#include <pade/core/tape.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>
#include <pade/layers/dropout.h>
#include <pade/layers/flatten.h>
#include <pade/layers/forward_observer.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>
#include <pade/optim/sgd.h>

#include "tests/fixtures/fixture.h"

using namespace pade;

namespace {

Sequential make_network() {
  return Sequential{named("conv", Conv2d(2, 4, {.kernel = 3, .padding = 1})),
                    BatchNorm2d(4),
                    Rational::hp1(2),
                    MaxPool2d(2),
                    Flatten(),
                    Dropout(0.25),
                    named("head", Sequential{Linear(16, 3)})};
}

std::vector<std::string> names_of(
    const std::vector<std::pair<std::string, Tensor>>& named_tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : named_tensors) names.push_back(name);
  return names;
}

/// A module as a user writes one.
struct Residual : Module {
  Linear inner{5, 5};
  Rational activation = Rational::hp1();
  Tensor shift = Tensor::zeros({5});

  void visit(ModuleVisitor& visitor) override {
    visitor.child("inner", inner);
    visitor.child("activation", activation);
    visitor.buffer("shift", shift);
  }
  std::string description() const override { return "Residual"; }

 protected:
  Tensor forward(const Tensor& x) override { return activation(inner(x)); }
};

}  // namespace

TEST_CASE("parameters, buffers and generators have dotted names in order") {
  manual_seed(1);
  Sequential network = make_network();
  CHECK(names_of(network.state()) ==
        std::vector<std::string>{"conv.weight", "conv.bias", "1.weight", "1.bias", "1.running_mean",
                                 "1.running_var", "2.numerator", "2.denominator", "head.0.weight",
                                 "head.0.bias"});
  const std::vector<Parameter> parameters = network.parameters();
  REQUIRE(parameters.size() == 8);
  CHECK(parameters[4].name == "2.numerator");
  CHECK(parameters[4].role == ParameterRole::activation);
  CHECK(parameters[0].role == ParameterRole::weight);
  CHECK(network.parameter_count() == 4 * 2 * 9 + 4 + 8 + 2 * 10 + 16 * 3 + 3);
  REQUIRE(network.generators().size() == 1);
  CHECK(network.generators()[0].first == "5.rng");
}

TEST_CASE("moving a network keeps its parts, and parameters() shows the live ones") {
  Sequential first = make_network();
  const std::vector<Parameter> parameters = first.parameters();
  Sequential network = std::move(first);
  CHECK(network.parameters()[0].tensor.shares_storage_with(parameters[0].tensor));
  const Tensor y = network(Tensor::ones({2, 2, 4, 4}));
  CHECK(y.shape() == Shape{2, 3});
}

TEST_CASE("a Sequential holds others; one of a single other is moved") {
  Sequential two{Sequential{Linear(3, 4)}, Sequential{Linear(4, 2)}};
  CHECK(two.size() == 2);
  Sequential one{Sequential{Linear(3, 4), Linear(4, 2)}};
  CHECK(one.parameters().at(0).name == "0.weight");
}

TEST_CASE("an optimiser from before a conversion refuses to step; one from after it trains") {
  Sequential network{Linear(3, 2)};
  Sgd early(network.parameters(), {.lr = 0.1});
  network.to(DType::float64);
  Sgd late(network.parameters(), {.lr = 0.1});
  const Tensor x = Tensor::ones({4, 3}, DType::float64);
  Tape tape;
  const Tensor loss = sum(network(x));
  tape.backward(loss);
  CHECK_THROWS_WITH_AS(
      early.step(),
      "step: no gradient was set since the last step() for any of the 2 parameters "
      "of this optimiser. Was backward() called? Was the optimiser made before "
      "network.to(…) or replace(), which give the network other parameters? Make it "
      "afterwards. Or are all of its parameters frozen?",
      Error);
  late.step();
  CHECK(sum(network(x)).item() < loss.item());
}

TEST_CASE("to() where nothing changes keeps the leaves, so that an optimiser goes on") {
  Sequential network{Linear(3, 2)};
  Sgd optimizer(network.parameters(), {.lr = 0.1});
  network.to(Device::cpu);
  network.to(DType::float32);
  const Tensor x = Tensor::ones({4, 3});
  Tape tape;
  const Tensor loss = sum(network(x));
  tape.backward(loss);
  optimizer.step();
  CHECK(sum(network(x)).item() < loss.item());
}

TEST_CASE("errors and tape entries say which module they come from") {
  Sequential network = make_network();
  network(Tensor::ones({2, 2, 4, 4}));
  CHECK_THROWS_WITH_AS(network["head"](Tensor::ones({2, 7})), doctest::Contains(" in head.0"),
                       Error);
  try {
    network(Tensor::ones({2, 3, 4, 4}));
    FAIL("three channels were accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).ends_with(" in conv"));
  }
  CHECK(Scope::path().empty());
}

TEST_CASE("train and eval reach everything; dropout and batch norm follow") {
  Sequential network = make_network();
  CHECK(network.training());
  network.eval();
  CHECK_FALSE(network["head"].training());
  const Tensor x = Rng(3).normal({4, 2, 4, 4}, 0, 1);
  CHECK(network(x).to_vector<float>() == network(x).to_vector<float>());
  network.train();
  CHECK(network(x).to_vector<float>() != network(x).to_vector<float>());
}

TEST_CASE("the same seed makes the same network, another seed another") {
  auto first_weight = [](uint64_t seed) {
    manual_seed(seed);
    return make_network().state()[0].second.to_vector<float>();
  };
  CHECK(first_weight(1) == first_weight(1));
  CHECK(first_weight(1) != first_weight(2));
}

TEST_CASE("the activation does not change the other layers' start") {
  auto head_weight = [](const char* activation) {
    manual_seed(5);
    Sequential network{Linear(3, 4), make_activation(activation), Linear(4, 2)};
    return network.state().back().second.to_vector<float>();
  };
  CHECK(head_weight("relu") == head_weight("hp1"));
}

TEST_CASE("to(float64) makes gradient checks of whole networks possible") {
  manual_seed(2);
  Residual block;
  block.to(DType::float64);
  const auto report = gradcheck([&](const auto& in) { return block(in[0]); },
                                {Rng(4).normal({3, 5}, 0, 0.3, DType::float64)});
  CHECK_MESSAGE(report.ok, report.message);
  for (const Parameter& parameter : block.parameters())
    CHECK(parameter.tensor.dtype() == DType::float64);
}

TEST_CASE("a user's module is named through its members") {
  Residual block;
  CHECK(names_of(block.state()) == std::vector<std::string>{"inner.weight", "inner.bias",
                                                            "activation.numerator",
                                                            "activation.denominator", "shift"});
  CHECK_THROWS_WITH_AS(block(Tensor::ones({2, 4})), doctest::Contains(" in inner"), Error);
}

TEST_CASE("summary shows shapes and counts") {
  Sequential network = make_network();
  const std::string table = summary(network, {1, 2, 4, 4});
  CHECK(table.find("Conv2d(2, 4, kernel=3, padding=1)") != std::string::npos);
  CHECK(table.find("[1, 4, 4, 4]") != std::string::npos);
  CHECK(table.find("Rational(hermite_he, termwise, 5/4, groups=2)") != std::string::npos);
  CHECK(table.find("head.0") != std::string::npos);
  CHECK(table.ends_with("155\n"));
  CHECK(network.training());
}

TEST_CASE("a network prints its modules, parents first") {
  Sequential network = make_network();
  std::ostringstream out;
  out << network;
  CHECK(out.str() ==
        "module                                                 parameters\n"
        "        Sequential                                              -\n"
        "conv    Conv2d(2, 4, kernel=3, padding=1)                      76\n"
        "1       BatchNorm2d(4)                                          8\n"
        "2       Rational(hermite_he, termwise, 5/4, groups=2)          20\n"
        "3       MaxPool2d(2)                                            -\n"
        "4       Flatten                                                 -\n"
        "5       Dropout(0.25)                                           -\n"
        "head    Sequential                                              -\n"
        "head.0  Linear(16, 3)                                          51\n"
        "total                                                         155\n");
}

TEST_CASE("a temporary prints too, and frozen parameters do not count") {
  std::ostringstream out;
  Linear linear(3, 4);
  linear.weight.requires_grad_(false);
  out << std::move(linear);
  CHECK(out.str() ==
        "module                parameters\n"
        "        Linear(3, 4)           4\n"
        "total                          4\n");
}

TEST_CASE("modules can be replaced where a pointer holds them") {
  Sequential network = make_network();
  network.eval();
  network(Tensor::ones({2, 2, 4, 4}));
  const auto names = names_of(network.state());
  const auto old = network.replace("head.0", std::make_unique<Linear>(16, 4));
  CHECK(old->description() == "Linear(16, 3)");
  CHECK(network(Tensor::ones({2, 2, 4, 4})).shape() == Shape{2, 4});
  CHECK(names_of(network.state()) == names);
  CHECK_FALSE(dynamic_cast<Sequential&>(network["head"])[0].training());
  CHECK_THROWS_WITH_AS(network["head"](Tensor::ones({2, 7})), doctest::Contains(" in head.0"),
                       Error);
  network.replace("2", make_activation("relu"));
  CHECK(network["2"].description() == "relu");

  const auto refused = [&](const char* path) -> std::string {
    try {
      network.replace(path, make_activation("relu"));
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(refused("head.1") == "Module::replace: there is no module \"head.1\"");
  CHECK(refused("hea") == "Module::replace: there is no module \"hea\"");
  CHECK(refused("head.0.weight") == "Module::replace: there is no module \"head.0.weight\"");
  CHECK(refused("") == "Module::replace: the network itself is not a child that can be replaced");
  CHECK_THROWS_WITH_AS(network.replace("conv", nullptr),
                       "Module::replace: the new module for \"conv\" is null", Error);
}

TEST_CASE("a member cannot be replaced, nor a pointer hold a module of another type") {
  struct Typed : Module {
    Residual block;
    std::unique_ptr<Activation> activation = make_activation("relu");
    std::unique_ptr<Module> none;
    void visit(ModuleVisitor& visitor) override {
      visitor.child("block", block);
      visitor.child("activation", activation);
      visitor.child("none", none);
    }
    std::string description() const override { return "Typed"; }
    Tensor forward(const Tensor& x) override { return (*activation)(block(x)); }
  } network;
  CHECK_THROWS_WITH_AS(network.replace("block.inner", std::make_unique<Linear>(5, 5)),
                       "Module::replace: \"block.inner\" is a member of its parent; where that "
                       "holds it as a std::unique_ptr<Module>, and shows this to visitors, it can "
                       "be replaced",
                       Error);
  CHECK_THROWS_WITH_AS(network.replace("activation", std::make_unique<Flatten>()),
                       "Module::replace: \"activation\" is held by a pointer of another type than "
                       "Flatten is of",
                       Error);
  CHECK(network.replace("activation", make_activation("tanh"))->description() == "relu");
  CHECK(network.activation->description() == "tanh");
  CHECK_THROWS_AS(network.replace("none", make_activation("tanh")), Error);
}

TEST_CASE("sequential refuses wrong names and indices") {
  Sequential network{Flatten()};
  CHECK_THROWS_WITH_AS(network.add(named("0", Flatten())),
                       "Sequential: there are two modules named \"0\"", Error);
  CHECK_THROWS_AS(network.add(named("a.b", Flatten())), Error);
  CHECK_THROWS_WITH_AS(network[3], "Sequential: index 3 is out of range for 1 modules", Error);
  CHECK_THROWS_WITH_AS(network["head"], "Sequential: there is no module named \"head\"", Error);
}

TEST_CASE("layers can be written as people expect") {
  manual_seed(4);
  Sequential by_position{Conv2d(1, 6, 5), Conv2d(6, 2, 3, {.stride = 2, .padding = 1})};
  manual_seed(4);
  Sequential by_name{Conv2d(1, 6, {.kernel = 5}),
                     Conv2d(6, 2, {.kernel = 3, .stride = 2, .padding = 1})};
  const Tensor images = Rng(1).uniform({2, 1, 9, 9}, -1, 1);
  CHECK(by_position(images).to_vector<float>() == by_name(images).to_vector<float>());

  Sequential network{Linear(2, 16), BatchNorm1d(16), ReLU(),     LeakyReLU(0.2), ELU(),    GELU(),
                     SiLU(),        Mish(),          Softplus(), Tanh(),         Sigmoid()};
  CHECK(network(Rng(2).uniform({5, 2}, -1, 1)).shape() == Shape{5, 16});
  const char* const specs[]{
      "relu",   "leaky_relu:slope=0.2", "elu", "gelu", "swish", "mish", "softplus", "tanh",
      "sigmoid"};
  const Tensor x = Rng(3).uniform({64}, -3, 3);
  for (int64_t i = 0; i < 9; ++i) {
    CAPTURE(specs[i]);
    CHECK(network[2 + i](x).to_vector<float>() ==
          (*make_activation(specs[i]))(x).to_vector<float>());
    CHECK(network[2 + i].parameters().empty());
  }
}

TEST_CASE("batch norm of vectors and sequences is that of images with as many pixels") {
  for (const Shape& shape : {Shape{6, 3}, Shape{4, 3, 5}}) {
    BatchNorm1d one(3);
    BatchNorm2d two(3);
    const Tensor x = Rng(1).normal(shape, 2, 3);
    const Shape as_images{shape[0], 3, shape.size_from(2), 1};
    for (const bool training : {true, false}) {
      one.train(training), two.train(training);
      CHECK(one(x).to_vector<float>() == two(x.reshape(as_images)).to_vector<float>());
    }
    CHECK(one.running_var.to_vector<float>() == two.running_var.to_vector<float>());
  }
}

TEST_CASE("a Sequential runs batch norm and the activation behind it in one pass") {
  for (const char* spec :
       {"relu", "identity", "swish:trainable=true", "hp1", "hp1:groups=4",
        "hp1:groups=4,shared_numerator=true", "hp1:zero_centred=true", "hp1:noise=0.1"}) {
    CAPTURE(std::string(spec));
    const auto train = [&](bool observed) {
      manual_seed(3);
      Sequential network{named("bn", BatchNorm2d(4)), named("act", make_activation(spec, 4))};
      network.to(DType::float64);
      const Tensor x = Rng(1).normal({3, 4, 5, 6}, 1, 2, DType::float64);
      std::vector<std::string> calls;
      std::optional<ForwardObserver> observer;
      if (observed)
        observer.emplace([&](const std::string& path, Module&, const Tensor&, const Tensor&) {
          calls.push_back(path);
        });
      Tape tape;
      const Tensor y = network(x);
      CHECK(calls ==
            (observed ? std::vector<std::string>{"bn", "act", ""} : std::vector<std::string>{}));
      const Tensor weights = Rng(2).normal(x.shape(), 0, 1, DType::float64);
      tape.backward(sum(weights * y));
      std::vector<Tensor> gradients;
      for (const Parameter& parameter : network.parameters())
        gradients.push_back(parameter.tensor.grad());
      std::vector<std::vector<double>> same{y.detach().to_vector<double>()};
      for (const auto& [name, tensor] : network.state()) same.push_back(tensor.to_vector<double>());
      return std::pair(gradients, same);
    };
    const auto [gradients, same] = train(false);
    const auto [expected_gradients, expected_same] = train(true);
    CHECK(same == expected_same);
    REQUIRE(gradients.size() == expected_gradients.size());
    for (size_t i = 0; i < gradients.size(); ++i)
      CHECK(relative_error(gradients[i], expected_gradients[i]) <= 1e-10);
  }

  Sequential network{named("bn", BatchNorm2d(4)), named("act", ReLU())};
  Tape tape;
  network(Tensor::ones({2, 4, 3, 3}));
  std::ostringstream shown;
  shown << tape;
  CHECK(shown.str().find("batch_norm+relu(") != std::string::npos);
  CHECK(shown.str().find("in bn+act") != std::string::npos);
  CHECK_THROWS_WITH_AS(network(Tensor::ones({2, 3, 3, 3})),
                       "BatchNorm2d: expected [N, 4, H, W], got [2, 3, 3, 3] in bn+act", Error);
}

TEST_CASE("layers refuse inputs that they are not made for, naming both sides") {
  CHECK_THROWS_WITH_AS(BatchNorm2d(6)(Tensor::ones({2, 3, 4, 4})),
                       "BatchNorm2d: expected [N, 6, H, W], got [2, 3, 4, 4]", Error);
  CHECK_THROWS_WITH_AS(BatchNorm2d(6)(Tensor::ones({2, 6})),
                       "BatchNorm2d: expected [N, 6, H, W], got [2, 6]", Error);
  CHECK_THROWS_WITH_AS(BatchNorm1d(6)(Tensor::ones({2, 6, 4, 4})),
                       "BatchNorm1d: expected [N, 6] or [N, 6, L], got [2, 6, 4, 4]", Error);
  CHECK_THROWS_WITH_AS(BatchNorm2d(6)(Tensor()),
                       "BatchNorm2d: input is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(Linear(1800, 10)(Tensor::ones({2, 8, 13, 13})),
                       doctest::Contains("; Flatten() before this layer makes x [2, 1352]"), Error);
}

TEST_CASE("layers refuse impossible options") {
  CHECK_THROWS_WITH_AS(Conv2d(3, 4, {.groups = 2}),
                       "Conv2d: 3 and 4 channels cannot be cut into 2 groups", Error);
  CHECK_THROWS_AS(Linear(0, 3), Error);
  CHECK_THROWS_AS(Dropout(1.5), Error);
  CHECK_THROWS_AS(Rational::hp1(0), Error);
}
