#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/optim/adam.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"

using namespace pade;

namespace {

constexpr int64_t kSize = kElementBlock + 37;  // two blocks, the second with an odd tail
constexpr int kSteps = 7;

Parameter make_parameter(const std::string& name, DType dtype = DType::float32,
                         ParameterRole role = ParameterRole::weight, int64_t size = kSize,
                         Device device = Device::cpu) {
  return {name, Rng(1, name).uniform({size}, -3, 3, dtype).to(device).requires_grad_(), role};
}

/// One that is small enough for any device.
Parameter make_small(const std::string& name, Device device, DType dtype = DType::float32,
                     ParameterRole role = ParameterRole::weight) {
  return make_parameter(name, dtype, role, 2085, device);
}

void set_random_grad(Parameter& parameter, int step) {
  const Tensor& tensor = parameter.tensor;
  parameter.tensor.set_grad(Rng(100 + step, parameter.name)
                                .uniform(tensor.shape(), -2, 2, tensor.dtype())
                                .to(tensor.device()));
}

std::vector<double> values(const Tensor& tensor) {
  return tensor.to(DType::float64).to_vector<double>();
}

/// Each optimiser once more, in straight lines for one number.
struct Reference {
  double p, m = 0, v = 0;
  int t = 0;

  void sgd(double g, double lr, double decay, const SgdOptions& o) {
    g += decay * p;
    m = o.momentum * m + g;
    p -= lr * (o.nesterov ? g + o.momentum * m : m);
  }

  void adam(double g, double lr, double decay, const AdamOptions& o, bool decoupled) {
    ++t;
    if (decoupled)
      p -= lr * decay * p;
    else
      g += decay * p;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double m_hat = m / (1 - std::pow(o.beta1, t));
    const double v_hat = v / (1 - std::pow(o.beta2, t));
    p -= lr * m_hat / (std::sqrt(v_hat) + o.eps);
  }
};

/// max |optimiser − reference| over a weight, and a coefficient, whose rule is the same for all
/// optimisers, after kSteps steps, NaN if there is one. The factor on the learning rate changes on
/// the way.
template <class O, class Options, class Step>
double worst_error(Device device, DType dtype, int64_t size, const Options& options,
                   Step&& reference_step) {
  std::vector<Parameter> parameters{
      make_parameter("weight", dtype, ParameterRole::weight, size, device),
      make_parameter("coefficient", dtype, ParameterRole::activation, size, device)};
  std::vector<std::vector<Reference>> references(2);
  for (int k : {0, 1})
    for (const double value : values(parameters[k].tensor)) references[k].push_back({value});

  O optimizer(parameters, options);
  for (int step = 0; step < kSteps; ++step) {
    const double factor = step < 3 ? 1 : 0.5;
    optimizer.set_lr_factor(factor);
    for (Parameter& parameter : parameters) set_random_grad(parameter, step);
    optimizer.step();
    for (int k : {0, 1}) {
      const double coefficient_lr = options.activation_lr.value_or(kActivationLr) * factor;
      const double warm_up = std::min(1.0, (step + 1) / 20.0);
      const std::vector<double> gradient = values(parameters[k].tensor.grad());
      for (int64_t i = 0; i < size; ++i)
        if (k == 0)
          reference_step(references[k][i], gradient[i], options.lr * factor, options.weight_decay);
        else
          references[k][i].adam(gradient[i], coefficient_lr * warm_up, 0, {}, false);
    }
  }

  double worst = 0;
  for (int k : {0, 1}) {
    const std::vector<double> ours = values(parameters[k].tensor);
    for (int64_t i = 0; i < size; ++i) {
      const double error = std::abs(ours[i] - references[k][i].p);
      if (!std::isnan(worst) && !(error <= worst)) worst = error;
    }
  }
  return worst;
}

/// Rounding of a few steps on numbers of magnitude 5.
double tolerance(DType dtype) { return dtype == DType::float64 ? 1e-14 : 5e-6; }

const DType kPrecisions[] = {DType::float32, DType::float64};
/// Several blocks and an odd tail: of the CPU's loops, or of the GPU's, which are shorter.
std::vector<int64_t> sizes_on(Device device) {
  return {0, 1, 7, device == Device::cpu ? kSize : 2085};
}

const SgdOptions kSgdOptions[] = {
    {.lr = 0.1},
    {.lr = 0.1, .weight_decay = 0.01, .activation_lr = 0.03},
    {.lr = 0.1, .momentum = 0.9},
    {.lr = 0.1, .momentum = 0.9, .nesterov = true},
    {.lr = 0.1, .momentum = 0.5, .weight_decay = 0.1, .activation_lr = 0},
    {.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01, .activation_lr = 0.2}};

const AdamOptions kAdamOptions[] = {
    {.lr = 0.01},
    {.lr = 0.01, .weight_decay = 0.1},
    {.lr = 0.01, .beta1 = 0, .beta2 = 0.5, .eps = 1e-3, .activation_lr = 0.002},
    {.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.3, .activation_lr = 0.02}};

using Maker = std::unique_ptr<Optimizer> (*)(const std::vector<Parameter>&);

/// Optimisers of every kind that remembers something.
const Maker kMakers[] = {
    [](const std::vector<Parameter>& p) -> std::unique_ptr<Optimizer> {
      return std::make_unique<Sgd>(p, SgdOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1});
    },
    [](const std::vector<Parameter>& p) -> std::unique_ptr<Optimizer> {
      return std::make_unique<Adam>(p, AdamOptions{.lr = 0.01, .weight_decay = 0.1});
    },
    [](const std::vector<Parameter>& p) -> std::unique_ptr<Optimizer> {
      return std::make_unique<AdamW>(p, AdamOptions{.lr = 0.01, .weight_decay = 0.1});
    }};

}  // namespace

DEVICE_TEST_CASE("SGD follows its formula") {
  for (const DType dtype : kPrecisions)
    for (const int64_t size : sizes_on(device))
      for (const SgdOptions& o : kSgdOptions) {
        auto reference = [&](Reference& r, double g, double lr, double decay) {
          r.sgd(g, lr, decay, o);
        };
        CHECK(worst_error<Sgd>(device, dtype, size, o, reference) <= tolerance(dtype));
      }
}

DEVICE_TEST_CASE("Adam and AdamW follow their formulas") {
  for (const DType dtype : kPrecisions)
    for (const int64_t size : sizes_on(device))
      for (const AdamOptions& o : kAdamOptions) {
        auto reference = [&](bool decoupled) {
          return [&o, decoupled](Reference& r, double g, double lr, double decay) {
            r.adam(g, lr, decay, o, decoupled);
          };
        };
        CHECK(worst_error<Adam>(device, dtype, size, o, reference(false)) <= tolerance(dtype));
        CHECK(worst_error<AdamW>(device, dtype, size, o, reference(true)) <= tolerance(dtype));
      }
}

DEVICE_TEST_CASE("decay alone shrinks weights at their rate, also in float32 and over many steps") {
  Parameter p{"p", Tensor::ones({1}).to(device).requires_grad_(), ParameterRole::weight};
  AdamW optimizer({p}, {.lr = 1e-3, .weight_decay = 1e-2});
  for (int step = 0; step < 1000; ++step) {
    p.tensor.set_grad(Tensor::zeros_like(p.tensor));
    optimizer.step();
  }
  const double lost = 1 - std::pow(1 - 1e-5, 1000);
  CHECK(std::abs(1 - p.tensor.item() - lost) <= 1000 * 0x1p-25);  // half an ulp below 1 a step
}

DEVICE_TEST_CASE("what a step changes is nothing that it reads beside, and nothing twice") {
  const Tensor memory = Tensor::ones({8}).to(device).clone();
  const auto view = [&](const char* name, int64_t begin, int64_t end) {
    return Parameter{name, memory.slice(begin, end).requires_grad_()};
  };
  CHECK_THROWS_WITH_AS(
      Sgd({view("a", 0, 4), view("b", 4, 8), view("c", 3, 5)}),
      "optimizer: \"a\" and \"c\" share memory, which would be changed twice; clone() one of them",
      Error);
  Parameter a = view("a", 0, 4), b = view("b", 4, 8);
  Sgd optimizer({a, b}, {.lr = 0.5, .momentum = 0.5});
  a.tensor.set_grad(Tensor::ones({4}).to(device).clone());
  b.tensor.set_grad(a.tensor);
  CHECK_THROWS_WITH_AS(optimizer.step(),
                       "step: a gradient of shape [4] is in the memory of another "
                       "parameter, which this step changes, too; clone() it",
                       Error);
  CHECK(values(memory) == std::vector<double>(8, 1));
  CHECK(optimizer.state()[0].second.item() == 0);
  CHECK(a.tensor.has_fresh_grad());

  const Tensor shared = Tensor::ones({4}).to(device).clone();  // is only read
  a.tensor.set_grad(shared), b.tensor.set_grad(shared);
  optimizer.step();
  CHECK(values(memory) == std::vector<double>(8, 0.5));
}

TEST_CASE("default groups keep coefficients apart, and empty groups away") {
  const Parameter weight = make_parameter("w");
  const Parameter coefficient = make_parameter("c", DType::float32, ParameterRole::activation);
  const Sgd both({coefficient, weight}, {.lr = 0.1, .weight_decay = 0.5, .activation_lr = 0.01});
  REQUIRE(both.groups().size() == 2);
  CHECK(both.groups()[0].name == "weights");
  CHECK(both.groups()[0].parameters.at(0).name == "w");
  CHECK(both.groups()[0].lr == 0.1);
  CHECK(both.groups()[0].weight_decay == 0.5);
  CHECK(both.groups()[1].name == "activations");
  CHECK(both.groups()[1].parameters.at(0).name == "c");
  CHECK(both.groups()[1].lr == 0.01);
  CHECK(both.groups()[1].weight_decay == 0);
  CHECK(both.groups()[0].rule == UpdateRule::own);
  CHECK(both.groups()[1].rule == UpdateRule::coefficients);
  CHECK(Sgd({coefficient}, {.lr = 0.1}).groups().at(0).lr == kActivationLr);
  CHECK(Sgd({weight}, {.lr = 0.1}).groups().size() == 1);
}

TEST_CASE("a factor on the rates of some parameters leaves what decay takes off them") {
  Tensor a = Tensor::ones({2}).requires_grad_(), b = Tensor::ones({2}).requires_grad_();
  const std::vector<Parameter> parameters{{"norm.bias", a}, {"conv.weight", b}};
  const auto is_norm = [](const Parameter& p) { return p.name.starts_with("norm"); };
  auto groups = with_lr_factor(default_groups(parameters, 0.1, 0.02), 8, is_norm);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].parameters[0].name == "conv.weight");
  CHECK(groups[0].lr == 0.1);
  CHECK(groups[0].weight_decay == 0.02);
  CHECK(groups[1].parameters[0].name == "norm.bias");
  CHECK(groups[1].lr == doctest::Approx(0.8));
  CHECK(groups[1].weight_decay == doctest::Approx(0.0025));
  Sgd optimizer(std::move(groups), {});
  a.set_grad(Tensor::full({2}, 0.5));
  b.set_grad(Tensor::full({2}, 0.5));
  optimizer.step();
  CHECK(a.at({0}) == doctest::Approx(1 - 0.8 * 0.5 - 0.1 * 0.02));
  CHECK(b.at({0}) == doctest::Approx(1 - 0.1 * 0.5 - 0.1 * 0.02));
  CHECK(with_lr_factor(default_groups(parameters, 0.1, 0), 2, [](auto&) { return true; }).size() ==
        1);
  CHECK_THROWS_WITH_AS(with_lr_factor({}, 0, is_norm),
                       "with_lr_factor: expected a finite factor above 0, got 0", Error);
}

TEST_CASE("the rate of coefficients falls with the root of the number of layers that have some") {
  const auto rate_with = [](int layers, const AdamOptions& options) {
    std::vector<Parameter> parameters{make_parameter("stage.weight")};
    for (int i = 0; i < layers; ++i)
      for (const char* name : {".act.numerator", ".act.denominator"})
        parameters.push_back(make_parameter("stage." + std::to_string(i) + name, DType::float32,
                                            ParameterRole::activation, 3));
    return Adam(parameters, options).groups().at(1).lr;
  };
  CHECK(rate_with(1, {}) == kActivationLr);
  CHECK(rate_with(4, {}) == kActivationLr / 2);
  CHECK(rate_with(36, {.lr = 7}) == kActivationLr / 6);
  CHECK(rate_with(36, {.activation_lr = 0.3}) == 0.3);
}

TEST_CASE("options read as in the documentation") {
  const std::vector<Parameter> parameters{make_parameter("w")};
  Sgd optimizer(parameters, {.lr = 0.01f, .momentum = 0.9f});
  CHECK(optimizer.groups()[0].lr == 0.01f);
  CHECK(Adam(parameters).groups()[0].lr == 1e-3);
}

DEVICE_TEST_CASE("groups of one's own: each with its rate and decay") {
  auto make = [&](const char* name) {
    return Parameter{name, Tensor::full({3}, 2, DType::float64, device).requires_grad_()};
  };
  Parameter a = make("a"), b = make("b"), c = make("c");
  Sgd optimizer({{"slow", {a}, 0.1, 0}, {"fast", {b, c}, 0.2, 0.5}}, {.lr = 7, .weight_decay = 7});
  for (Parameter* p : {&a, &b, &c}) p->tensor.set_grad(Tensor::ones({3}, DType::float64, device));
  optimizer.step();
  CHECK(a.tensor.at({0}) == doctest::Approx(2 - 0.1));
  CHECK(b.tensor.at({1}) == doctest::Approx(2 - 0.2 * (1 + 0.5 * 2)));
  CHECK(c.tensor.at({2}) == b.tensor.at({2}));
}

DEVICE_TEST_CASE("a parameter without a new gradient is left alone, and its state too") {
  for (const Maker make : kMakers) {
    Parameter used = make_small("used", device), idle = make_small("idle", device);
    const auto optimizer = make({used, idle});
    const auto before = values(idle.tensor);
    const uint32_t version = idle.tensor.version();
    set_random_grad(used, 0);
    optimizer->step();
    CHECK(values(idle.tensor) == before);
    CHECK(idle.tensor.version() == version);
    for (const auto& [name, tensor] : optimizer->state())
      if (name.ends_with(".idle")) CHECK(values(tensor) == std::vector<double>(tensor.size(), 0));

    const auto after_one = values(used.tensor);
    const char* message = "step: no gradient was set since the last step() for any of the 2 ";
    CHECK_THROWS_WITH_AS(optimizer->step(), doctest::Contains(message), Error);  // it was used up
    CHECK(values(used.tensor) == after_one);
  }
}

DEVICE_TEST_CASE("a parameter that joins late starts as if the optimiser were new") {
  for (const Maker make : kMakers) {
    Parameter early = make_small("early", device), late = make_small("late", device);
    Parameter alone = make_small("late", device);
    const auto both = make({early, late}), fresh = make({alone});
    for (int step = 0; step < kSteps; ++step) {
      set_random_grad(early, step);
      if (step >= 4) {
        set_random_grad(late, step);
        set_random_grad(alone, step);
        fresh->step();
      }
      both->step();
    }
    CHECK(values(late.tensor) == values(alone.tensor));
  }
}

DEVICE_TEST_CASE("backward and step: only what the loss depends on moves, and it goes downhill") {
  Parameter x{"x", Tensor::full({4}, 3).to(device).requires_grad_()};
  Parameter unused{"unused", Tensor::ones({4}).to(device).requires_grad_()};
  Sgd optimizer({x, unused}, {.lr = 0.1, .momentum = 0.5, .weight_decay = 0.1});
  for (int step = 0; step < 100; ++step) {
    Tape tape;
    tape.backward(sum(x.tensor * x.tensor));
    const uint32_t version = x.tensor.version();
    optimizer.step();
    REQUIRE(x.tensor.version() > version);
  }
  CHECK(std::abs(x.tensor.at({2})) <= 1e-6);
  CHECK(unused.tensor.to_vector<float>() == std::vector<float>(4, 1));
}

DEVICE_TEST_CASE("a tape that is kept notices that step changed what it saved") {
  Parameter x{"x", Tensor::ones({2}).to(device).requires_grad_()};
  Sgd optimizer({x}, {.lr = 0.1});
  Tape tape;
  const Tensor loss = sum(x.tensor * x.tensor);
  tape.backward(loss, {.keep = true});
  optimizer.step();  // while the tape still records
  CHECK(x.tensor.at({0}) == doctest::Approx(0.8));
  CHECK_THROWS_WITH_AS(tape.backward(loss), doctest::Contains("was changed in place"), Error);
}

TEST_CASE("state has stable names") {
  auto names = [](const Optimizer& optimizer) {
    std::vector<std::string> result;
    for (const auto& [name, tensor] : optimizer.state()) result.push_back(name);
    return result;
  };
  const std::vector<Parameter> parameters{make_parameter("features.0.weight"), make_parameter("b")};
  using Names = std::vector<std::string>;
  CHECK(names(Sgd(parameters)) == Names{"steps.features.0.weight", "steps.b"});
  CHECK(names(Sgd(parameters, {.momentum = 0.9})) ==
        Names{"steps.features.0.weight", "momentum.features.0.weight", "steps.b", "momentum.b"});
  CHECK(names(AdamW({parameters[1]})) == Names{"steps.b", "first_moment.b", "second_moment.b"});
  const Parameter c = make_parameter("c", DType::float32, ParameterRole::activation);
  CHECK(names(Sgd({c, parameters[1]})) ==
        Names{"steps.b", "steps.c", "first_moment.c", "second_moment.c"});
}

DEVICE_TEST_CASE("state holds under these names what they say") {
  Parameter p{"p", Tensor::zeros({1}, DType::float64, device).requires_grad_()};
  Sgd sgd({p}, {.momentum = 0.5});
  Adam adam({p}, {.beta1 = 0.75, .beta2 = 0.5});
  auto after_step = [&](Optimizer& optimizer) {
    p.tensor.set_grad(Tensor::full({1}, 4, DType::float64, device));
    optimizer.step();
    std::vector<double> result;
    for (const auto& [name, tensor] : optimizer.state()) result.push_back(tensor.item());
    return result;
  };
  CHECK(after_step(sgd) == std::vector<double>{1, 4});
  CHECK(after_step(sgd) == std::vector<double>{2, 6});
  CHECK(after_step(adam) == std::vector<double>{1, 1, 8});
  CHECK(after_step(adam) == std::vector<double>{2, 1.75, 12});
}

DEVICE_TEST_CASE("a restored state goes on with the same bits") {
  for (const Maker make : kMakers) {
    auto run = [&](bool restart) {
      std::vector<Parameter> parameters{
          make_small("w", device),
          make_small("c", device, DType::float64, ParameterRole::activation)};
      auto optimizer = make(parameters);
      for (int step = 0; step < kSteps; ++step) {
        if (restart && step == 3) {
          std::vector<Tensor> saved;
          for (const auto& [name, tensor] : optimizer->state()) saved.push_back(tensor.clone());
          optimizer = make(parameters);
          auto state = optimizer->state();
          REQUIRE(state.size() == saved.size());
          for (size_t i = 0; i < state.size(); ++i) state[i].second.copy_(saved[i]);
        }
        for (Parameter& parameter : parameters) set_random_grad(parameter, step);
        optimizer->step();
      }
      return std::pair(parameters[0].tensor.to_vector<float>(),
                       parameters[1].tensor.to_vector<double>());
    };
    CHECK(run(false) == run(true));
  }
}

DEVICE_TEST_CASE("many parameters are updated as each of them alone") {
  // More tensors, and more rates, than one launch of the GPU takes. They are views that begin
  // anywhere, and two are empty.
  constexpr int kCount = 80, kGroups = 10, kLargest = 70;
  auto dtype_of_number = [](int i) { return i % 8 == 3 ? DType::float64 : DType::float32; };
  auto view = [](const Tensor& storage, int i) {
    return storage.slice(i, i + i * 37 % (kLargest + 1)).detach();
  };
  auto random = [&](DType dtype, int64_t size) {
    return Rng(5).uniform({size}, -2, 2, dtype).to(device);
  };
  const Tensor gradients32 = random(DType::float32, kCount + kLargest);
  const Tensor gradients64 = random(DType::float64, kCount + kLargest);

  /// These parameters after three steps, of which every fifth one misses the second.
  auto train = [&](const std::vector<int>& numbers, auto make_optimizer) {
    const int64_t count = static_cast<int64_t>(numbers.size());
    std::vector<ParameterGroup> groups;
    std::vector<Parameter> parameters;
    const Tensor storage32 = Tensor::ones({count * kLargest}, DType::float32, device);
    const Tensor storage64 = Tensor::ones({count * kLargest}, DType::float64, device);
    for (const int i : numbers) {
      const Tensor& storage = dtype_of_number(i) == DType::float32 ? storage32 : storage64;
      const int64_t begin = count == 1 ? 0 : i * kLargest;
      const int64_t size = view(gradients32, i).size();
      parameters.push_back(
          {std::to_string(i), storage.slice(begin, begin + size).detach().requires_grad_()});
      if (groups.size() < kGroups)
        groups.push_back({std::to_string(i), {}, i % kGroups * 0.01, 0.1});
      groups[i % groups.size()].parameters.push_back(parameters.back());
    }
    const auto optimizer = make_optimizer(groups);
    for (int step = 0; step < 3; ++step) {
      bool any_gradient = false;
      for (size_t k = 0; k < numbers.size(); ++k) {
        const int i = numbers[k];
        if (step == 1 && i % 5 == 0) continue;
        parameters[k].tensor.set_grad(
            view(dtype_of_number(i) == DType::float32 ? gradients32 : gradients64, i));
        any_gradient = true;
      }
      if (any_gradient) optimizer->step();
    }
    std::vector<std::vector<double>> results;
    for (const Parameter& parameter : parameters) results.push_back(values(parameter.tensor));
    return results;
  };
  auto check_all = [&](auto make_optimizer) {
    std::vector<int> all(kCount);
    std::iota(all.begin(), all.end(), 0);
    const auto together = train(all, make_optimizer);
    int wrong = 0, moved = 0;
    for (const int i : all) {
      wrong += together[i] != train({i}, make_optimizer)[0];
      moved += together[i] != std::vector<double>(together[i].size(), 1);
    }
    CHECK(wrong == 0);
    CHECK(moved == kCount - kCount / kGroups - 1);  // not where the rate is 0, nor number 71
  };
  check_all([](const std::vector<ParameterGroup>& groups) {
    return std::make_unique<Sgd>(groups, SgdOptions{.momentum = 0.9});
  });
  check_all([](const std::vector<ParameterGroup>& groups) {
    return std::make_unique<AdamW>(groups, AdamOptions{});
  });
}

DEVICE_TEST_CASE("parameters and gradients may be views that begin anywhere") {
  for (const Maker make : kMakers)
    for (const DType dtype : kPrecisions) {
      const Tensor storage = Rng(3).uniform({1030}, -1, 1, dtype).to(device);
      const Tensor slopes = Rng(4).uniform({1030}, -1, 1, dtype).to(device);
      for (const auto& [of_p, of_gradient] : {std::pair(1, 0), std::pair(2, 3)}) {
        const Tensor view = storage.clone().slice(of_p, of_p + 1027);
        const Tensor gradient = slopes.slice(of_gradient, of_gradient + 1027);
        Parameter odd{"p", view.detach().requires_grad_()};
        Parameter even{"p", view.clone().requires_grad_()};
        const auto with_view = make({odd}), with_copy = make({even});
        for (int step = 0; step < 2; ++step) {
          odd.tensor.set_grad(gradient);
          even.tensor.set_grad(gradient.clone());
          with_view->step();
          with_copy->step();
        }
        CHECK(values(odd.tensor) == values(even.tensor));
        CHECK(values(odd.tensor) != values(storage.slice(of_p, of_p + 1027)));
      }
    }
}

TEST_CASE("the GPU's parameters are the CPU's to rounding [cuda]") {
  for (const Maker make : kMakers) {
    Parameter here = make_small("p", Device::cpu), there = make_small("p", Device::cuda);
    const auto of_cpu = make({here}), of_gpu = make({there});
    for (int step = 0; step < kSteps; ++step) {
      set_random_grad(here, step);
      set_random_grad(there, step);
      of_cpu->step();
      of_gpu->step();
    }
    const std::vector<double> a = values(here.tensor), b = values(there.tensor);
    double worst = 0;
    for (size_t i = 0; i < a.size(); ++i)
      if (!(std::abs(a[i] - b[i]) <= worst)) worst = std::abs(a[i] - b[i]);
    CHECK(worst <= tolerance(DType::float32));
    for (const auto& [name, tensor] : of_gpu->state())
      CHECK(tensor.device() == (name == "steps.p" ? Device::cpu : Device::cuda));
  }
}

TEST_CASE("optimisers refuse parameters on several devices [cuda]") {
  CHECK_THROWS_WITH_AS(
      Sgd({make_small("a", Device::cpu), make_small("b", Device::cuda)}),
      "optimizer: expected all parameters on one device, got \"a\" on cpu and \"b\" on cuda",
      Error);
}

TEST_CASE("one thread and two give the same bits") {
  const int threads = num_threads();
  for (const Maker make : kMakers) {
    std::vector<std::vector<float>> results;
    for (const int count : {1, 2}) {
      set_num_threads(count);
      Parameter parameter = make_parameter("p");
      const auto optimizer = make({parameter});
      for (int step = 0; step < 3; ++step) {
        set_random_grad(parameter, step);
        optimizer->step();
      }
      results.push_back(parameter.tensor.to_vector<float>());
    }
    set_num_threads(threads);
    CHECK(results[0] == results[1]);
  }
}

TEST_CASE("optimisers refuse parameters that they cannot train") {
  const Parameter p = make_parameter("p");
  CHECK_THROWS_WITH_AS(Sgd(std::vector<Parameter>{}),
                       "optimizer: there are no parameters to optimise", Error);
  CHECK_THROWS_WITH_AS(Sgd({{"empty", {}, 0.1, 0}}, {}),
                       "optimizer: there are no parameters to optimise", Error);
  CHECK_THROWS_WITH_AS(Sgd({p, p}), "optimizer: there are two parameters named \"p\"", Error);
  CHECK_THROWS_WITH_AS(Sgd({{"a", {p}, 0.1, 0}, {"b", {p}, 0.1, 0}}, {}),
                       "optimizer: there are two parameters named \"p\"", Error);
  CHECK_THROWS_WITH_AS(Sgd({p, {"tied", p.tensor}}),
                       "optimizer: \"p\" and \"tied\" are one and the same parameter", Error);
  CHECK_THROWS_WITH_AS(Sgd({{"q", Tensor::ones({1})}}),
                       "optimizer: parameter \"q\" is not a leaf that requires a gradient", Error);
  CHECK_THROWS_WITH_AS(Sgd({{"q", Tensor()}}),
                       "optimizer: parameter \"q\" is not a leaf that requires a gradient", Error);
  const Tape tape;
  CHECK_THROWS_WITH_AS(Sgd({{"double", p.tensor + p.tensor}}),
                       "optimizer: parameter \"double\" is not a leaf that requires a gradient",
                       Error);
}

TEST_CASE("optimisers refuse options that make no sense") {
  const Parameter p = make_parameter("p");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(Sgd({p}, {.lr = -1}),
                       "optimizer: the learning rate of group \"weights\" is -1, expected a finite "
                       "number, at least 0",
                       Error);
  CHECK_THROWS_WITH_AS(Sgd({p}, {.activation_lr = -1}),
                       doctest::Contains("learning rate of group \"activations\" is -1"), Error);
  CHECK_THROWS_WITH_AS(
      Sgd({p}, {.weight_decay = nan}),
      "optimizer: the weight decay of group \"weights\" is nan, expected a finite number, at least "
      "0",
      Error);
  CHECK_THROWS_WITH_AS(Adam({{"mine", {p}, nan, 0}}, {}),
                       doctest::Contains("learning rate of group \"mine\" is nan"), Error);
  CHECK_THROWS_WITH_AS(Sgd({p}, {.momentum = 1}), "Sgd: momentum must be in [0, 1), got 1", Error);
  CHECK_THROWS_AS(Sgd({p}, {.momentum = -0.1}), Error);
  CHECK_THROWS_AS(Sgd({p}, {.momentum = nan}), Error);
  CHECK_THROWS_WITH_AS(Sgd({p}, {.nesterov = true}), "Sgd: Nesterov's momentum needs momentum > 0",
                       Error);
  CHECK_THROWS_WITH_AS(Adam({p}, {.beta2 = 1}), "Adam: beta1 and beta2 must be in [0, 1), got 1",
                       Error);
  CHECK_THROWS_WITH_AS(AdamW({p}, {.beta1 = -1}),
                       "AdamW: beta1 and beta2 must be in [0, 1), got -1", Error);
  CHECK_THROWS_WITH_AS(Adam({p}, {.eps = 0}), "Adam: eps must be above 0, got 0", Error);

  Sgd optimizer({p});
  CHECK_THROWS_WITH_AS(optimizer.set_lr_factor(-1),
                       "set_lr_factor: expected a finite number, at least 0, got -1", Error);
  CHECK_THROWS_AS(optimizer.set_lr_factor(nan), Error);
  CHECK(optimizer.lr_factor() == 1);
}
