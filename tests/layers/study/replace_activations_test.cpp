#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/tape.h>
#include <pade/layers/conv.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/pool.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>
#include <pade/layers/study/replace_activations.h>
#include <pade/optim/adam.h>

#include "tests/devices.h"

using namespace pade;

namespace {

constexpr int kClasses = 6;

/// Six patterns of 8×8 pixels under so much noise that some images look like another class'.
struct Images {
  Tensor images, labels;
};
Images made_up_images(int64_t count, uint64_t seed) {
  const Tensor patterns = Rng(99, "patterns").normal({kClasses, 1, 8, 8}, 0, 0.45);
  Rng rng(seed, "images");
  Images set{rng.normal({count, 1, 8, 8}, 0, 1), rng.integers({count}, 0, kClasses)};
  const auto labels = set.labels.to_vector<int32_t>();
  for (int64_t i = 0; i < count; ++i) {
    Tensor image = set.images[i];
    image.copy_(image + patterns[labels[static_cast<size_t>(i)]]);
  }
  return set;
}

Sequential make_network(const std::string& activation) {
  return Sequential{named("conv", Conv2d(1, 8, {.kernel = 3, .padding = 1})),
                    named("act1", make_activation(activation)), MaxPool2d(2), Flatten(),
                    named("head", Sequential{named("fc1", Linear(128, 32)),
                                             named("act2", make_activation(activation)),
                                             named("fc2", Linear(32, kClasses))})};
}

/// Adam on all images at once; the loss before the last step.
double train(Module& network, const Images& set, int steps, double lr) {
  Adam optimizer(network.parameters(), {.lr = lr, .activation_lr = 0.001});
  double last = 0;
  for (int step = 0; step < steps; ++step) {
    Tape tape;
    const Tensor loss = cross_entropy(network(set.images), set.labels);
    tape.backward(loss);
    last = loss.item();
    optimizer.step();
  }
  return last;
}

double accuracy(const Tensor& logits, const Tensor& labels) {
  const auto values = logits.to_vector<float>();
  const auto right = labels.to_vector<int32_t>();
  double correct = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    const auto row = values.begin() + static_cast<std::ptrdiff_t>(i * kClasses);
    correct += std::max_element(row, row + kClasses) - row == right[i];
  }
  return correct / static_cast<double>(right.size());
}

double rms(const Tensor& x) {
  double sum = 0;
  for (const float v : x.to_vector<float>()) sum += static_cast<double>(v) * v;
  return std::sqrt(sum / static_cast<double>(x.size()));
}

std::vector<std::string> names_of(Module& network) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : network.state()) names.push_back(name);
  return names;
}

/// A module of which visitors see an activation by pointer, and one that is a member.
struct Mixed : Module {
  Linear inner{3, 3};
  std::unique_ptr<Activation> first = make_activation("tanh");
  Rational second = Rational::hp1();

  void visit(ModuleVisitor& visitor) override {
    visitor.child("inner", inner);
    visitor.child("first", first);
    visitor.child("second", second);
  }
  std::string description() const override { return "Mixed"; }

 protected:
  Tensor forward(const Tensor& x) override { return second((*first)(inner(x))); }
};

void run_noise(Module& network) { network(Rng(5).normal({50, 3}, 0, 1)); }

}  // namespace

TEST_CASE("trained networks work on with fitted rationals, which learn") {
  const Images training = made_up_images(600, 1), test = made_up_images(2000, 2);
  for (const std::string original : {"relu", "gelu", "swish", "tanh"}) {
    manual_seed(4);
    Sequential trained = make_network(original);
    train(trained, training, 40, 0.01);
    trained.eval();
    const Tensor before = trained(test.images);
    const double accuracy_before = accuracy(before, test.labels);
    CHECK(accuracy_before > 0.7);
    CHECK(accuracy_before < 0.95);  // so that answers near the boundaries count
    const double loss_before = cross_entropy(trained(training.images), training.labels).item();

    for (const std::string spec : {"hp1", "opau:basis=legendre,form=whole_sum"}) {
      CAPTURE(original);
      CAPTURE(spec);
      Sequential network = make_network(original);
      const auto state = trained.state();
      for (size_t i = 0; i < state.size(); ++i) network.state()[i].second.copy_(state[i].second);
      network.eval();
      replace_activations(network, spec, [&](Module& network) { network(training.images); });
      const Tensor after = network(test.images);
      CHECK(rms(after - before) <= 0.05 * rms(before));
      CHECK(std::abs(accuracy(after, test.labels) - accuracy_before) <= 0.003);
      CHECK(cross_entropy(network(training.images), training.labels).item() ==
            doctest::Approx(loss_before).epsilon(0.05));

      network.train();
      const auto coefficients = [&] {
        return dynamic_cast<Rational&>(network["act1"]).numerator.to_vector<float>();
      };
      const auto fitted = coefficients();
      const double first = train(network, training, 1, 0.001);
      CHECK(train(network, training, 10, 0.001) < 0.98 * first);
      CHECK(coefficients() != fitted);
    }
  }
}

TEST_CASE("only the activations change: names, values, modes and dtype stay") {
  const Images set = made_up_images(100, 3);
  manual_seed(4);
  Sequential network = make_network("relu");
  const auto state = network.state();
  network["head"].eval();
  network(set.images);  // modules have their names by then
  replace_activations(network, "hp1:groups=channel,zero_centred=true",
                      [&](Module& network) { network(set.images); });

  CHECK(names_of(network) ==
        std::vector<std::string>{"conv.weight", "conv.bias", "act1.numerator", "act1.denominator",
                                 "head.fc1.weight", "head.fc1.bias", "head.act2.numerator",
                                 "head.act2.denominator", "head.fc2.weight", "head.fc2.bias"});
  for (const auto& [name, tensor] : network.state())
    for (const auto& [old_name, old] : state)
      if (name == old_name) CHECK(tensor.shares_storage_with(old));
  auto& first = dynamic_cast<Rational&>(network["act1"]);
  auto& second = dynamic_cast<Rational&>(dynamic_cast<Sequential&>(network["head"])["act2"]);
  CHECK(first.training());
  CHECK_FALSE(second.training());
  CHECK(first.groups() == 8);
  CHECK(second.groups() == 32);
  CHECK(std::abs(first.derivatives(0).value) <= 1e-6);
  CHECK(network.parameters().size() == 10);

  Sequential wide = make_network("tanh");
  wide.to(DType::float64);
  replace_activations(wide, "pau:trainable=false",
                      [&](Module& network) { network(set.images.to(DType::float64)); });
  for (const auto& [name, tensor] : wide.state()) CHECK(tensor.dtype() == DType::float64);
  CHECK(wide.parameters().size() == 6);
}

TEST_CASE("reports say what the errors are") {
  Sequential network{named("act", make_activation("swish"))};
  const Tensor x = Rng(1).normal({4000}, 0.5, 2);
  const auto reports = replace_activations(network, "hp2", [&](Module& network) { network(x); });
  REQUIRE(reports.size() == 1);
  const ReplacedActivation& report = reports[0];
  CHECK(report.name == "act");
  CHECK(report.before == "swish(beta=1)");
  CHECK(report.after == "Rational(hermite_h, termwise, 5/4)");
  CHECK(report.low < 0.5 - 2 * 3);
  CHECK(report.high > 0.5 + 2 * 3);
  CHECK(report.outside <= 2e-4);
  CHECK(report.input_rms <= report.rms);
  CHECK(report.rms <= report.max_error);

  const auto swish = make_activation("swish", 1, DType::float64);
  double largest = 0, squares = 0;
  const Tensor now = network(x);
  const auto inputs = x.to_vector<float>(), outputs = now.to_vector<float>();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double error = std::abs(outputs[i] - swish->derivatives(inputs[i]).value);
    largest = std::max(largest, error);
    squares += error * error;
  }
  CHECK(largest <= report.max_error * 1.001 + 1e-5);
  CHECK(std::sqrt(squares / 4000) == doctest::Approx(report.input_rms).epsilon(0.1));
  CHECK(std::abs(outputs[0] - swish->derivatives(inputs[0]).value) <= report.max_error + 1e-5);
}

TEST_CASE("intervals leave out the given share of the inputs, and are never too short") {
  Sequential network{named("act", make_activation("tanh"))};
  Tensor x = Rng(1).uniform({1000}, -2, 2);
  x.copy_(concat({slice(x, 0, 0, 999), Tensor::full({1}, 500)}, 0));
  auto replaced = [&](const ReplaceOptions& options, const Tensor& x) {
    return replace_activations(
        network, "hp1", [&](Module& network) { network(x); }, options)[0];
  };
  CHECK(replaced({.tail_share = 0}, x).high > 500);
  const ReplacedActivation cut = replaced({.tail_share = 0.01}, x);
  CHECK(cut.high < 5);
  CHECK(cut.outside == doctest::Approx(0.001));
  const ReplacedActivation same = replaced({}, Tensor::full({20}, 0.25));
  CHECK(same.low == -0.25);
  CHECK(same.high == 0.75);
  CHECK(same.max_error <= 0.01);
}

TEST_CASE("statistics that were collected before do as well") {
  Sequential network{Linear(3, 4), make_activation("relu"), Rational::pau()};
  const auto choose = [](const std::string& path, const Activation&) { return path == "1"; };
  InputStatistics statistics(
      network, {.watch = [](const std::string& path, Module&) { return path == "1"; }});
  CHECK_THROWS_WITH_AS(replace_activations(network, "hp1", statistics, {.choose = choose}),
                       "replace_activations: \"1\" was given no finite input; run data through the "
                       "network that reaches it",
                       Error);
  {
    const ForwardObserver collecting = statistics.collect();
    run_noise(network);
  }
  CHECK_THROWS_WITH_AS(replace_activations(network, "hp1", statistics),
                       "replace_activations: the statistics are not of \"2\"; let "
                       "InputStatisticsOptions::watch choose it",
                       Error);
  CHECK(replace_activations(network, "hp1", statistics, {.choose = choose}).size() == 1);
  CHECK(dynamic_cast<Rational&>(network[1]).options().basis == Basis::hermite_he);
  CHECK(dynamic_cast<Rational&>(network[2]).options().basis == Basis::monomial);
}

TEST_CASE("a module's own pointer can be replaced, a member cannot") {
  Mixed mixed;
  CHECK_THROWS_WITH_AS(
      replace_activations(mixed, "hp1", run_noise),
      doctest::Contains("\"second\" (Rational(hermite_he, termwise, 5/4)) sits where a Rational "
                        "cannot be put"),
      Error);
  CHECK(mixed.first->description() == "tanh");
  const auto only_first = [](const std::string& path, const Activation&) {
    return path == "first";
  };
  const Tensor x = Rng(6).normal({5, 3}, 0, 1);
  const Tensor before = mixed(x);
  replace_activations(mixed, "hp1", run_noise, {.choose = only_first});
  CHECK(dynamic_cast<Rational*>(mixed.first.get()) != nullptr);
  CHECK(rms(mixed(x) - before) <= 0.02);
  CHECK(names_of(mixed)[2] == "first.numerator");
}

TEST_CASE("what cannot be replaced is refused, and nothing changes") {
  Sequential network{Linear(3, 4), make_activation("relu"), make_activation("hp1:groups=2")};
  auto message = [&](const char* spec, const ReplaceOptions& options = {}) -> std::string {
    try {
      replace_activations(network, spec, run_noise, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(message("swish") ==
        "unknown rational activation \"swish\"; there are: hp1, hp2, opau, pau");
  CHECK(message("hp1:init=relu") ==
        "replace_activations: the network decides on \"init\"; leave it out of \"hp1:init=relu\"");
  CHECK(message("hp1:gain=true").find("decides on \"gain\"") != std::string::npos);
  CHECK(message("hp1:zero_mean=true").find("on \"zero_mean\"") != std::string::npos);
  CHECK(message("hp1").find("\"2\" (Rational(hermite_he, termwise, 5/4, groups=2)) has several "
                            "functions") != std::string::npos);
  CHECK(message("hp1", {.choose = [](const std::string&, const Activation&) { return false; }}) ==
        "replace_activations: there is no activation to replace");
  CHECK(message("hp1", {.tail_share = 0.5}).find("tail_share in [0, 0.5)") != std::string::npos);
  CHECK(message("hp1", {.uniform_share = 0}).find("uniform_share in (0, 1]") != std::string::npos);
  CHECK(network[1].description() == "relu");
  CHECK_THROWS_WITH_AS(replace_activations(*make_activation("relu"), "hp1", run_noise),
                       doctest::Contains("put it into a Sequential"), Error);
}

DEVICE_TEST_CASE("replaced activations are on the network's device") {
  manual_seed(1);
  Sequential network{Linear(3, 4), make_activation("swish:trainable=true"), Linear(4, 2)};
  network.to(device);
  const Tensor x = Rng(2).normal({50, 3}, 0, 1).to(device);
  const Tensor before = network(x).to(Device::cpu);
  replace_activations(network, "hp1", [&](Module& network) { network(x); });
  for (const auto& [name, tensor] : network.state()) CHECK(tensor.device() == device);
  CHECK(rms(network(x).to(Device::cpu) - before) <= 0.02);
}
