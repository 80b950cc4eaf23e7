#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/optim/adam.h>
#include <pade/optim/clip.h>
#include <pade/optim/sgd.h>

using namespace pade;

namespace {

constexpr int64_t kSize = 40000;  // several blocks
constexpr int kSteps = 7;

Parameter make_parameter(const std::string& name, uint64_t seed, DType dtype,
                         ParameterRole role = ParameterRole::weight, int64_t size = kSize) {
  return {name, Rng(seed).normal({size}, 0, 1, dtype).requires_grad_(), role};
}

Tensor gradient_of(int step, DType dtype, int64_t size = kSize) {
  return Rng(100 + step).normal({size}, 0, 1, dtype);
}

/// Each optimiser once more, in straight lines for one number.
struct Reference {
  double p, m = 0, v = 0;
  int t = 0;

  void sgd(double g, double lr, const SgdOptions& o, double decay) {
    g += decay * p;
    m = o.momentum * m + g;
    p -= lr * (o.nesterov ? g + o.momentum * m : m);
  }
  void adam(double g, double lr, const AdamOptions& o, double decay, bool decoupled) {
    ++t;
    if (decoupled) p -= lr * decay * p;
    else g += decay * p;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double m_hat = m / (1 - std::pow(o.beta1, t)), v_hat = v / (1 - std::pow(o.beta2, t));
    p -= lr * m_hat / (std::sqrt(v_hat) + o.eps);
  }
};

/// The largest difference after kSteps steps between an optimiser and its reference.
template <class Make, class Step>
double worst_error(DType dtype, ParameterRole role, Make&& make, Step&& step) {
  Parameter parameter = make_parameter("p", 1, dtype, role);
  std::vector<Reference> references;
  for (int64_t i = 0; i < kSize; ++i) references.push_back({parameter.tensor.at({i})});
  const auto optimizer = make(std::vector{parameter});
  for (int k = 0; k < kSteps; ++k) {
    const Tensor gradient = gradient_of(k, dtype);
    optimizer->set_lr_factor(k < 3 ? 1 : 0.5);
    parameter.tensor.set_grad(gradient);
    optimizer->step();
    for (int64_t i = 0; i < kSize; ++i) step(references[i], gradient.at({i}), optimizer->lr_factor());
  }
  double worst = 0;
  for (int64_t i = 0; i < kSize; ++i) {
    const double error = std::abs(parameter.tensor.at({i}) - references[i].p);
    if (!std::isnan(worst) && !(error <= worst)) worst = error;
  }
  return worst;
}

double tolerance(DType dtype) { return dtype == DType::float64 ? 1e-12 : 2e-5; }

std::vector<float> bits(const Tensor& tensor) { return tensor.to_vector<float>(); }

}  // namespace

TEST_CASE("SGD follows its formula: momentum, Nesterov, decay, both roles and precisions") {
  for (const DType dtype : {DType::float32, DType::float64})
    for (const ParameterRole role : {ParameterRole::weight, ParameterRole::activation})
      for (const SgdOptions& o : {SgdOptions{.lr = 0.1},
                                  SgdOptions{.lr = 0.1, .momentum = 0.9},
                                  SgdOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01},
                                  SgdOptions{.lr = 0.1, .weight_decay = 0.01, .activation_lr = 0.03}}) {
        const bool activation = role == ParameterRole::activation;
        const double lr = activation ? o.activation_lr.value_or(o.lr) : o.lr;
        const double error = worst_error(
            dtype, role, [&](const auto& p) { return std::make_unique<Sgd>(p, o); },
            [&](Reference& r, double g, double factor) {
              r.sgd(g, lr * factor, o, activation ? 0 : o.weight_decay);
            });
        CHECK(error <= tolerance(dtype));
      }
}

TEST_CASE("Adam and AdamW follow their formulas") {
  for (const DType dtype : {DType::float32, DType::float64})
    for (const ParameterRole role : {ParameterRole::weight, ParameterRole::activation})
      for (const AdamOptions& o :
           {AdamOptions{}, AdamOptions{.lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1},
            AdamOptions{.lr = 0.01, .eps = 1e-3, .activation_lr = 0.002}})
        for (const bool decoupled : {false, true}) {
          const bool activation = role == ParameterRole::activation;
          const double lr = activation ? o.activation_lr.value_or(o.lr) : o.lr;
          const double error = worst_error(
              dtype, role,
              [&](const auto& p) -> std::unique_ptr<Optimizer> {
                if (decoupled) return std::make_unique<AdamW>(p, o);
                return std::make_unique<Adam>(p, o);
              },
              [&](Reference& r, double g, double factor) {
                r.adam(g, lr * factor, o, activation ? 0 : o.weight_decay, decoupled);
              });
          CHECK(error <= tolerance(dtype));
        }
}

TEST_CASE("default groups keep coefficients apart, and empty groups away") {
  const Parameter weight = make_parameter("w", 1, DType::float32);
  const Parameter coefficient = make_parameter("c", 2, DType::float32, ParameterRole::activation);
  const Sgd both({weight, coefficient}, {.lr = 0.1, .weight_decay = 0.5, .activation_lr = 0.01});
  REQUIRE(both.groups().size() == 2);
  CHECK(both.groups()[0].name == "weights");
  CHECK(both.groups()[0].weight_decay == 0.5);
  CHECK(both.groups()[1].name == "activations");
  CHECK(both.groups()[1].lr == 0.01);
  CHECK(both.groups()[1].weight_decay == 0);
  CHECK(Sgd({weight}, {.lr = 0.1}).groups().size() == 1);
}

TEST_CASE("groups of one's own: each with its rate and decay") {
  const Parameter a = make_parameter("a", 1, DType::float64), b = make_parameter("b", 1, DType::float64);
  Sgd optimizer({{"slow", {a}, 0.1, 0}, {"fast", {b}, 0.2, 0}}, {});
  Parameter copy_a = a, copy_b = b;
  const double start = a.tensor.at({0});
  copy_a.tensor.set_grad(Tensor::ones({kSize}, DType::float64));
  copy_b.tensor.set_grad(Tensor::ones({kSize}, DType::float64));
  optimizer.step();
  CHECK(a.tensor.at({0}) == doctest::Approx(start - 0.1));
  CHECK(b.tensor.at({0}) == doctest::Approx(start - 0.2));
}

TEST_CASE("a parameter without a new gradient is left alone") {
  Parameter used = make_parameter("used", 1, DType::float32), idle = make_parameter("idle", 2, DType::float32);
  Sgd optimizer({used, idle}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  const auto before = bits(idle.tensor);
  used.tensor.set_grad(gradient_of(0, DType::float32));
  optimizer.step();
  CHECK(bits(idle.tensor) == before);
  const auto after_one = bits(used.tensor);
  optimizer.step();  // the gradient was used up
  CHECK(bits(used.tensor) == after_one);
}

TEST_CASE("a restored state goes on with the same bits") {
  auto run = [](bool restart) {
    Parameter parameter = make_parameter("p", 1, DType::float32);
    auto optimizer = std::make_unique<Adam>(std::vector{parameter});
    for (int k = 0; k < kSteps; ++k) {
      if (restart && k == 3) {
        std::vector<std::pair<std::string, Tensor>> saved;
        for (const auto& [name, tensor] : optimizer->state()) saved.emplace_back(name, tensor.clone());
        optimizer = std::make_unique<Adam>(std::vector{parameter});
        const auto fresh = optimizer->state();
        REQUIRE(fresh.size() == 3);
        for (size_t i = 0; i < fresh.size(); ++i) {
          CHECK(fresh[i].first == saved[i].first);
          Tensor target = fresh[i].second;
          target.copy_(saved[i].second);
        }
      }
      parameter.tensor.set_grad(gradient_of(k, DType::float32));
      optimizer->step();
    }
    return bits(parameter.tensor);
  };
  CHECK(run(false) == run(true));
}

TEST_CASE("one thread and two give the same bits") {
  const int threads = num_threads();
  std::vector<std::vector<float>> results;
  for (const int count : {1, 2}) {
    set_num_threads(count);
    Parameter parameter = make_parameter("p", 1, DType::float32);
    Sgd optimizer({parameter}, {.lr = 0.1, .momentum = 0.9});
    for (int k = 0; k < 3; ++k) {
      parameter.tensor.set_grad(gradient_of(k, DType::float32));
      clip_grad_norm({parameter}, 0.5);
      optimizer.step();
    }
    results.push_back(bits(parameter.tensor));
  }
  set_num_threads(threads);
  CHECK(results[0] == results[1]);
}

TEST_CASE("clipping scales all gradients together, down only") {
  Parameter a = make_parameter("a", 1, DType::float64, ParameterRole::weight, 2);
  Parameter b = make_parameter("b", 2, DType::float64, ParameterRole::weight, 1);
  auto set = [&](double x, double y, double z) {
    a.tensor.set_grad(Tensor::from<double>({x, y}, {2}));
    b.tensor.set_grad(Tensor::from<double>({z}, {1}));
  };
  set(2, 3, 6);
  CHECK(clip_grad_norm({a, b}, 10) == 7);
  CHECK(a.tensor.grad().at({1}) == 3);
  CHECK(clip_grad_norm({a, b}, 3.5) == 7);
  CHECK(a.tensor.grad().at({0}) == 1);
  CHECK(b.tensor.grad().at({0}) == 3);
  set(std::numeric_limits<double>::infinity(), 1, 1);
  CHECK(std::isinf(clip_grad_norm({a, b}, 1)));
  CHECK(b.tensor.grad().at({0}) == 1);
  set(std::nan(""), 1, 1);
  CHECK(std::isnan(clip_grad_norm({a, b}, 1)));
  CHECK_THROWS_WITH_AS(clip_grad_norm({a}, 0),
                       "clip_grad_norm: the largest norm must be above 0, got 0", Error);
}

TEST_CASE("optimisers refuse what makes no sense") {
  const Parameter p = make_parameter("p", 1, DType::float32);
  CHECK_THROWS_WITH_AS(Sgd(std::vector<Parameter>{}), "optimizer: there are no parameters to optimise",
                       Error);
  CHECK_THROWS_WITH_AS(Sgd({p, p}), "optimizer: there are two parameters named \"p\"", Error);
  CHECK_THROWS_WITH_AS(Sgd({{"q", Tensor::ones({1})}}),
                       "optimizer: parameter \"q\" requires no gradient", Error);
  CHECK_THROWS_WITH_AS(
      Sgd({p}, {.lr = -1}),
      "optimizer: the learning rate of group \"weights\" is -1, expected at least 0", Error);
  CHECK_THROWS_WITH_AS(Sgd({p}, {.momentum = 1}), "Sgd: momentum must be in [0, 1), got 1", Error);
  CHECK_THROWS_WITH_AS(Sgd({p}, {.nesterov = true}), "Sgd: Nesterov's momentum needs momentum > 0",
                       Error);
  CHECK_THROWS_WITH_AS(Adam({p}, {.beta2 = 1}), "Adam: beta1 and beta2 must be in [0, 1), got 1", Error);
  CHECK_THROWS_AS(Adam({p}, {.eps = 0}), Error);
}
