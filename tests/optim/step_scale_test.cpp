#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/optim/adam.h>
#include <pade/optim/clip.h>
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

DEVICE_TEST_CASE("a step_scale trains parameter / step_scale") {
  const int64_t size = size_on(device);
  for (const Maker make_optimizer : kMakers)
    for (const DType dtype : {DType::float32, DType::float64}) {
      const Tensor scale = make_scale(size, dtype, device);
      const Tensor target = random(1, -1, 1, size, dtype, device);
      const Tensor weight = random(2, 0.5, 1, size, dtype, device);
      const Tensor start = random(3, -2, 2, size, dtype, device);
      Parameter scaled{"p", (start * scale).requires_grad_(), ParameterRole::weight, scale};
      Parameter explicit_one{"p", start.clone().requires_grad_()};
      const auto loss_of = [&](const Tensor& p) {
        const Tensor difference = p - target;
        return sum(weight * difference * difference);
      };
      const auto with_scale = make_optimizer({scaled}), without = make_optimizer({explicit_one});
      for (int step = 0; step < 10; ++step) {
        const double factor = step < 5 ? 1 : 0.5;
        {
          Tape tape;
          tape.backward(loss_of(scaled.tensor));
        }
        {
          Tape tape;
          tape.backward(loss_of(scale * explicit_one.tensor));
        }
        for (const auto& optimizer : {with_scale.get(), without.get()}) {
          optimizer->set_lr_factor(factor);
          optimizer->step();
        }
      }
      const Tensor expected = scale * explicit_one.tensor.detach();
      // Rounding of ten steps on numbers of magnitude 2.
      CHECK(worst_difference(scaled.tensor, expected, scale) <=
            (dtype == DType::float64 ? 1e-14 : 5e-6));
      CHECK(worst_difference(scaled.tensor, start * scale, scale) > 0.01);
      const auto ours = with_scale->state(), theirs = without->state();
      for (size_t k = 0; k < ours.size(); ++k) {
        const Tensor &a = ours[k].second, &b = theirs[k].second;
        CHECK(worst_difference(a, b, Tensor::ones(a.shape())) <=
              (dtype == DType::float64 ? 1e-13 : 5e-5));
      }
    }
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
      Parameter odd{"p", view(storage, 1).detach().requires_grad_(), ParameterRole::weight,
                    view(scale, 2)};
      Parameter even{"p", view(start, 1).clone().requires_grad_(), ParameterRole::weight,
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

DEVICE_TEST_CASE("the norm counts step_scale times the gradient") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const auto make_parameter = [&](const std::vector<double>& gradient) {
      const Shape shape{static_cast<int64_t>(gradient.size())};
      Parameter parameter{"p", Tensor::zeros(shape, dtype, device).requires_grad_()};
      parameter.tensor.set_grad(Tensor::from(gradient, shape).to(dtype).to(device).clone());
      return parameter;
    };
    // (2 · 1)² + (½ · 4)² + (4 · 2)² = 72, and 3² = 9.
    Parameter scaled = make_parameter({1, 4, 2}), plain = make_parameter({3});
    scaled.step_scale = Tensor::from<double>({2, 0.5, 4}, {3}).to(dtype).to(device);
    CHECK(grad_norm({plain, scaled}) == 9);
    CHECK(clip_grad_norm({scaled, plain}, 9.5) == 9);
    CHECK(values(scaled.tensor.grad()) == std::vector<double>{1, 4, 2});
    CHECK(clip_grad_norm({scaled, plain}, 4.5) == 9);
    const auto clipped = values(scaled.tensor.grad());
    const double factor = 4.5 / (9 + 1e-6), tolerance = dtype == DType::float32 ? 3e-7 : 1e-15;
    for (const auto& [i, x] : {std::pair(0, 1), std::pair(1, 4), std::pair(2, 2)})
      CHECK(std::abs(clipped[i] - x * factor) <= tolerance);
    CHECK(std::abs(values(plain.tensor.grad())[0] - 3 * factor) <= tolerance);
    CHECK(std::abs(grad_norm({scaled, plain}) - 4.5) <= 2e-6);
  }
}

DEVICE_TEST_CASE("the norm of many gradients, of which some are scaled, and views") {
  std::vector<Parameter> parameters;
  const DType dtypes[] = {DType::float32, DType::float64};
  Tensor gradients[2], scales[2];
  constexpr int64_t kAll = 24000;
  for (const int k : {0, 1}) {
    gradients[k] = random(5 + k, -1, 1, kAll, dtypes[k], device);
    scales[k] = make_scale(kAll, dtypes[k], device);
  }
  int64_t begin = 0;
  long double total = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const int64_t size = i == 77 || i == 78 ? 5001 : i * 7 % 50;
    const int k = i % 4 == 0 ? 0 : 1;
    Parameter parameter{std::to_string(i),
                        Tensor::zeros({size}, dtypes[k], device).requires_grad_()};
    parameter.tensor.set_grad(gradients[k].slice(begin, begin + size));
    if (i % 3 != 1) parameter.step_scale = scales[k].slice(begin, begin + size);
    const auto gradient = values(parameter.tensor.grad());
    const auto scale =
        values(parameter.step_scale.defined() ? parameter.step_scale : Tensor::ones({size}));
    for (size_t j = 0; j < gradient.size(); ++j) {
      const long double x = static_cast<long double>(gradient[j]) * scale[j];
      total += x * x;
    }
    parameters.push_back(parameter);
    begin += size;
  }
  const double expected = static_cast<double>(std::sqrt(total));
  CHECK(std::abs(grad_norm(parameters) - expected) <= 1e-13 * expected);
  CHECK(grad_norm(parameters) == grad_norm(parameters));
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
