#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/optim/adam.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"

using namespace pade;

namespace {

using Maker = std::unique_ptr<Optimizer> (*)(const std::vector<Parameter>&);

template <class O, class Options, const Options& options>
std::unique_ptr<Optimizer> make(const std::vector<Parameter>& parameters) {
  return std::make_unique<O>(parameters, options);
}

constexpr SgdOptions kPlain{.lr = 0.1, .weight_decay = 0.1};
constexpr SgdOptions kMomentum{.lr = 0.05, .momentum = 0.9, .weight_decay = 0.1};
constexpr SgdOptions kNesterov{.lr = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1};
constexpr AdamOptions kAdam{.lr = 0.02, .weight_decay = 0.1};

const Maker kMakers[] = {make<Sgd, SgdOptions, kPlain>, make<Sgd, SgdOptions, kMomentum>,
                         make<Sgd, SgdOptions, kNesterov>, make<Adam, AdamOptions, kAdam>,
                         make<AdamW, AdamOptions, kAdam>};

/// Several blocks and an odd tail: of the CPU's loops, or of the GPU's, which are shorter.
int64_t size_on(Device device) { return device == Device::cpu ? kElementBlock + 37 : 2085; }

/// Powers of two from 1/64 to 2.
Tensor make_scale(int64_t size, DType dtype, Device device) {
  std::vector<double> scale;
  for (int64_t i = 0; i < size; ++i) scale.push_back(std::exp2(i * 5 % 8 - 6));
  return Tensor::from(scale, {size}).to(dtype).to(device);
}

Tensor random(uint64_t seed, double low, double high, int64_t size, DType dtype, Device device) {
  return Rng(seed).uniform({size}, low, high, dtype).to(device);
}

std::vector<double> values(const Tensor& tensor) {
  return tensor.to(Device::cpu).to(DType::float64).to_vector<double>();
}

/// max |a − b| / scale, NaN if there is one.
double worst_difference(const Tensor& a, const Tensor& b, const Tensor& scale) {
  const auto x = values(a), y = values(b), s = values(scale);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = std::abs(x[i] - y[i]) / s[i];
    if (!std::isnan(worst) && !(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace

DEVICE_TEST_CASE("coefficients take Adam's steps times their scale, whatever the optimiser is") {
  const int64_t size = size_on(device);
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor scale = make_scale(size, dtype, device),
                 start = random(3, -2, 2, size, dtype, device);
    std::vector<double> first;
    for (const Maker make_optimizer : kMakers) {
      Parameter scaled{"c", start.clone().requires_grad_(), ParameterRole::activation, scale};
      Parameter plain{"c", start.clone().requires_grad_(), ParameterRole::activation};
      const auto with_scale = make_optimizer({scaled});
      Adam adam({{"group", {plain}, kActivationLr, 0}}, {});
      for (int step = 0; step < 6; ++step) {
        const Tensor gradient = random(10 + step, -1, 1, size, dtype, device);
        const double factor = step < 3 ? 1 : 0.5;
        with_scale->set_lr_factor(factor);
        adam.set_lr_factor(factor * std::min(1.0, (step + 1) / 20.0));  // the coefficients' warm-up
        scaled.tensor.set_grad(gradient), plain.tensor.set_grad(gradient);
        with_scale->step(), adam.step();
      }
      const auto ours = values(scaled.tensor), theirs = values(plain.tensor);
      const auto s = values(scale), from = values(start);
      double worst = 0, longest = 0;
      for (size_t i = 0; i < s.size(); ++i) {
        const double path = theirs[i] - from[i];
        worst = std::max(worst, std::abs(ours[i] - from[i] - s[i] * path));
        longest = std::max(longest, std::abs(path));
      }
      // Rounding of six steps from numbers of magnitude 2.
      CHECK(worst <= (dtype == DType::float64 ? 1e-14 : 3e-6));
      CHECK(longest > 0.1 * kActivationLr);
      if (first.empty()) first = ours;
      CHECK(ours == first);
    }
  }
}

DEVICE_TEST_CASE("how large gradients are changes the steps of coefficients by eps alone") {
  for (const Maker make_optimizer : kMakers) {
    const auto train = [&](double factor) {
      Parameter c{"c", random(3, -2, 2, 300, DType::float64, device).requires_grad_(),
                  ParameterRole::activation, make_scale(300, DType::float64, device)};
      const auto optimizer = make_optimizer({c});
      for (int step = 0; step < 3; ++step) {
        c.tensor.set_grad(random(10 + step, 1, 2, 300, DType::float64, device) * factor);
        optimizer->step();
      }
      return c.tensor;
    };
    const Tensor small = train(1e-3), large = train(1e3);
    CHECK(worst_difference(small, large, Tensor::ones({300})) <= 1e-5 * 2 * 3 * kActivationLr);
  }
}

TEST_CASE("the rate of coefficients rises over their first twenty steps, and no further") {
  Parameter c{"c", Tensor::zeros({1}, DType::float64).requires_grad_(), ParameterRole::activation};
  Sgd optimizer({c}, {.activation_lr = 1});
  for (const int steps : {1, 2, 19, 20, 21, 50}) {
    double before = 0;
    while (optimizer.state()[0].second.item() < steps) {
      before = c.tensor.item();
      c.tensor.set_grad(Tensor::full({1}, 1, DType::float64));  // Adam's step is 1
      optimizer.step();
    }
    CHECK(before - c.tensor.item() == doctest::Approx(std::min(1.0, steps / 20.0)).epsilon(1e-6));
  }
}

TEST_CASE("groups of one's own choose the rule, and the own one leaves the scale alone") {
  const auto make = [](const char* name) {
    return Parameter{name, Tensor::full({1}, 1, DType::float64).requires_grad_(),
                     ParameterRole::activation, Tensor::full({1}, 0.25, DType::float64)};
  };
  Parameter own = make("own"), coefficient = make("coefficient");
  Sgd sgd({{"own", {own}, 0.1, 0}, {"c", {coefficient}, 0.1, 0, UpdateRule::coefficients}}, {});
  own.tensor.set_grad(Tensor::full({1}, 3, DType::float64));
  coefficient.tensor.set_grad(Tensor::full({1}, 3, DType::float64));
  sgd.step();
  CHECK(own.tensor.item() == 1 - 0.1 * 3);
  CHECK(coefficient.tensor.item() == doctest::Approx(1 - 0.25 * 0.1 / 20).epsilon(1e-10));
  Adam adam({{"own", {own}, 0.1, 0}}, {});
  own.tensor.set_grad(Tensor::full({1}, 3, DType::float64));
  adam.step();
  CHECK(own.tensor.item() == doctest::Approx(1 - 0.3 - 0.1).epsilon(1e-8));
}

DEVICE_TEST_CASE("parameters without a step_scale have the same bits beside one that has it") {
  for (const Maker make_optimizer : kMakers) {
    const auto train = [&](bool beside) {
      Parameter plain{"plain", random(1, -1, 1, 2085, DType::float32, device).requires_grad_()};
      Parameter scaled{"scaled", random(2, -1, 1, 300, DType::float32, device).requires_grad_(),
                       ParameterRole::activation, make_scale(300, DType::float32, device)};
      std::vector<Parameter> parameters{plain};
      if (beside) parameters = {scaled, plain};
      const auto optimizer = make_optimizer(parameters);
      for (int step = 0; step < 3; ++step) {
        plain.tensor.set_grad(random(10 + step, -1, 1, 2085, DType::float32, device));
        scaled.tensor.set_grad(random(20 + step, -1, 1, 300, DType::float32, device));
        optimizer->step();
      }
      return values(plain.tensor);
    };
    CHECK(train(true) == train(false));
  }
}

DEVICE_TEST_CASE("scaled parameters, scales and gradients may be views that begin anywhere") {
  for (const Maker make_optimizer : kMakers)
    for (const DType dtype : {DType::float32, DType::float64}) {
      constexpr int64_t kSize = 1027;
      const Tensor start = random(3, -1, 1, kSize + 3, dtype, device);
      const Tensor slope = random(4, -1, 1, kSize + 3, dtype, device);
      const Tensor scale = make_scale(kSize + 3, dtype, device);
      const auto view = [](const Tensor& tensor, int64_t begin) {
        return tensor.slice(begin, begin + kSize);
      };
      const Tensor storage = start.clone();
      Parameter odd{"p", view(storage, 1).detach().requires_grad_(), ParameterRole::activation,
                    view(scale, 2)};
      Parameter even{"p", view(start, 1).clone().requires_grad_(), ParameterRole::activation,
                     view(scale, 2).clone()};
      const auto with_view = make_optimizer({odd}), with_copy = make_optimizer({even});
      for (int step = 0; step < 2; ++step) {
        odd.tensor.set_grad(view(slope, 3));
        even.tensor.set_grad(view(slope, 3).clone());
        with_view->step();
        with_copy->step();
      }
      CHECK(values(odd.tensor) == values(even.tensor));
      CHECK(values(odd.tensor) != values(view(start, 1)));
      const auto before = values(start), after = values(storage);
      for (const size_t outside : {size_t{0}, before.size() - 2, before.size() - 1})
        CHECK(after[outside] == before[outside]);
    }
}

DEVICE_TEST_CASE("optimisers refuse a step_scale that does not fit its parameter") {
  Parameter p{"p", Tensor::ones({2}).to(device).requires_grad_()};
  const auto with = [&](const Tensor& scale) {
    Parameter scaled = p;
    scaled.step_scale = scale;
    return std::vector<Parameter>{scaled};
  };
  const auto of = [&](double first) {
    return Tensor::from<double>({first, 1}, {2}).to(DType::float32).to(device);
  };
  CHECK_NOTHROW(Sgd(with(of(0.25))));
  CHECK_THROWS_WITH_AS(Sgd(with(Tensor::ones({3}).to(device))),
                       doctest::Contains("expected the step_scale of \"p\" to be float32"), Error);
  CHECK_THROWS_AS(Adam(with(of(1).to(DType::float64))), Error);
  for (const double wrong : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    CHECK_THROWS_WITH_AS(Sgd(with(of(wrong))), doctest::Contains("expected finite numbers above 0"),
                         Error);
}

TEST_CASE("a step_scale on another device is refused [cuda]") {
  const Tensor here = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(
      Sgd({{"p", here.to(Device::cuda).requires_grad_(), ParameterRole::weight, here}}),
      doctest::Contains("on cuda as the parameter is, got"), Error);
}
