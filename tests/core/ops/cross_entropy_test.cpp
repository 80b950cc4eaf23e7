#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/ops/softmax.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  Shape shape;
  int axis;
};

const Case kCases[] = {{{7}, 0},        {{3, 5}, -1},      {{3, 5}, 0},   {{2, 3, 4}, 1},
                       {{2, 3, 4}, -3}, {{4, 1}, 1},       {{0, 3}, 1},   {{3, 0}, 1},
                       {{300, 37}, 1},  {{2, 37, 300}, 1}, {{3, 1500}, 1}};

/// log Σ exp of a line of `x`, in long double.
long double log_sum_exp(const std::vector<double>& line) {
  long double top = -kInfinity, sum = 0;
  for (double value : line) top = std::max<long double>(top, value);
  for (double value : line) sum += std::exp(value - top);
  return top + std::log(sum);
}

std::vector<double> row_of(const Tensor& x, int64_t row) {
  return x[row].to(DType::float64).to_vector<double>();
}

/// The definition: −Σ t · log softmax.
long double reference_loss(const std::vector<double>& logits, int32_t label, double smoothing) {
  const long double log_sum = log_sum_exp(logits);
  long double loss = 0;
  for (size_t k = 0; k < logits.size(); ++k) {
    const long double target =
        smoothing / logits.size() + (static_cast<int32_t>(k) == label ? 1 - smoothing : 0);
    if (target != 0) loss -= target * (logits[k] - log_sum);
  }
  return loss;
}

}  // namespace

DEVICE_TEST_CASE(
    "softmax and log_softmax have the values of a long double reference along any axis") {
  Rng rng(1);
  for (const Case& c : kCases)
    for (const DType dtype : {DType::float32, DType::float64}) {
      const Tensor x = rng.uniform(c.shape, -5, 5, dtype);
      const Tensor x64 = x.to(DType::float64);
      const auto wide = [](const Tensor& y) { return y.to(Device::cpu).to(DType::float64); };
      const Tensor p = wide(softmax(x.to(device), c.axis));
      const Tensor log_p = wide(log_softmax(x.to(device), c.axis));
      REQUIRE(p.shape() == c.shape);
      const int axis = c.shape.resolve_axis(c.axis);
      const int64_t classes = c.shape[axis], inner = c.shape.size_from(axis + 1);
      const double epsilon = dtype == DType::float32 ? 1e-6 : classes > 1000 ? 4e-15 : 2e-15;
      double worst = 0;
      for (int64_t line = 0; line < c.shape.size_before(axis) * inner; ++line) {
        const int64_t first = line / inner * classes * inner + line % inner;
        std::vector<double> values;
        for (int64_t k = 0; k < classes; ++k)
          values.push_back(x64.data<double>()[first + k * inner]);
        const long double log_sum = log_sum_exp(values);
        for (int64_t k = 0; k < classes; ++k) {
          const long double expected = values[k] - log_sum;
          const double log_error = static_cast<double>(
              std::abs(log_p.data<double>()[first + k * inner] - expected) / 10);
          const double error = static_cast<double>(
              std::abs(p.data<double>()[first + k * inner] / std::exp(expected) - 1));
          if (!(log_error <= worst)) worst = log_error;
          if (!(error <= worst)) worst = error;
        }
      }
      CHECK_MESSAGE(worst <= epsilon, to_string(c.shape), " axis ", c.axis);
    }
}

DEVICE_TEST_CASE("softmax and log_softmax have the gradients of central differences") {
  Rng rng(2);
  for (const Case& c : kCases) {
    if (c.shape.size() > 1000) continue;
    const Tensor x = rng.uniform(c.shape, -2, 2, DType::float64).to(device);
    const auto plain = gradcheck([&](const auto& in) { return softmax(in[0], c.axis); }, {x});
    CHECK_MESSAGE(plain.ok, to_string(c.shape), ": ", plain.message);
    const auto log = gradcheck([&](const auto& in) { return log_softmax(in[0], c.axis); }, {x});
    CHECK_MESSAGE(log.ok, to_string(c.shape), ": ", log.message);
  }
}

DEVICE_TEST_CASE("softmax and log_softmax of extreme values") {
  const Tensor x = Tensor::from<float>({1e4f, -1e4f, 0, 3e38f, -3e38f, 3e38f}, {2, 3}).to(device);
  CHECK(softmax(x).to_vector<float>() == std::vector<float>{1, 0, 0, 0.5f, 0, 0.5f});
  CHECK(log_softmax(x).at({0, 0}) == 0);
  CHECK(log_softmax(x).at({0, 1}) == -2e4);
  CHECK(log_softmax(x).at({1, 0}) == std::log(0.5f));
  const Tensor masked = Tensor::from<double>({1, -kInfinity, 1}, {3}).to(device);
  CHECK(softmax(masked).to_vector<double>() == std::vector<double>{0.5, 0, 0.5});
  CHECK(log_softmax(masked).at({1}) == -kInfinity);
  for (const double bad : {std::nan(""), kInfinity}) {
    const Tensor y = Tensor::from<double>({1, bad, 2}, {3}).to(device);
    for (int64_t i = 0; i < 3; ++i) {
      CHECK(std::isnan(softmax(y).at({i})));
      CHECK(std::isnan(log_softmax(y).at({i})));
    }
  }
  CHECK(std::isnan(softmax(Tensor::full({2}, -kInfinity, DType::float32, device)).at({0})));
}

DEVICE_TEST_CASE("cross_entropy has the values of a long double reference") {
  Rng rng(3);
  for (const auto& [n, classes] :
       {std::pair<int64_t, int64_t>{1, 1}, {5, 3}, {128, 10}, {200, 101}, {3, 1500}})
    for (const DType dtype : {DType::float32, DType::float64})
      for (const double smoothing : {0.0, 0.1, 1.0}) {
        const Tensor logits = rng.normal({n, classes}, 0, 4, dtype);
        const Tensor labels = rng.integers({n}, 0, static_cast<int32_t>(classes));
        auto loss = [&](Reduction reduction) {
          return cross_entropy(logits.to(device), labels.to(device),
                               {.label_smoothing = smoothing, .reduction = reduction});
        };
        const Tensor each = loss(Reduction::none).to(Device::cpu);
        REQUIRE(each.shape() == Shape{n});
        const double epsilon = dtype == DType::float32 ? 2e-6 : 1e-14;
        long double sum = 0;
        double worst = 0;
        for (int64_t i = 0; i < n; ++i) {
          const long double expected =
              reference_loss(row_of(logits, i), labels.data<int32_t>()[i], smoothing);
          sum += expected;
          const double error = static_cast<double>(std::abs(each.at({i}) - expected)) /
                               std::max(1.0, static_cast<double>(expected));
          if (!(error <= worst)) worst = error;
        }
        CHECK(worst <= epsilon);
        const double total = static_cast<double>(sum);
        CHECK(std::abs(loss(Reduction::sum).item() - total) <= epsilon * std::max(1.0, total));
        CHECK(std::abs(loss(Reduction::mean).item() - total / n) <=
              epsilon * std::max(1.0, total / n));
      }
  const Tensor even = Tensor::zeros({2, 4}, DType::float64, device);
  const double expected = std::log(4.0);
  const double got = cross_entropy(even, Tensor::from<int32_t>({0, 3}, {2}).to(device)).item();
  CHECK(std::abs(got - expected) <= 1e-15);
}

DEVICE_TEST_CASE("cross_entropy has the gradients of central differences") {
  Rng rng(4);
  for (const auto& [n, classes] :
       {std::pair<int64_t, int64_t>{1, 1}, {5, 3}, {9, 10}, {2, 1100}, {0, 3}})
    for (const double smoothing : {0.0, 0.1, 1.0})
      for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
        if (n == 0 && reduction == Reduction::mean) continue;
        const Tensor labels = rng.integers({n}, 0, static_cast<int32_t>(classes)).to(device);
        const auto report = gradcheck(
            [&](const auto& in) {
              return cross_entropy(in[0], labels,
                                   {.label_smoothing = smoothing, .reduction = reduction});
            },
            {rng.uniform({n, classes}, -2, 2, DType::float64).to(device)},
            {.max_elements = n * classes > 1000 ? 8 : 512});
        CHECK_MESSAGE(report.ok, n, " ", classes, ": ", report.message);
      }
}

DEVICE_TEST_CASE("cross_entropy of extreme logits is finite, with finite gradients") {
  Tensor logits =
      Tensor::from<float>({1e4f, -1e4f, 1e4f, -1e4f}, {2, 2}).to(device).requires_grad_();
  const Tensor labels = Tensor::from<int32_t>({0, 1}, {2}).to(device);
  Tape tape;
  const Tensor loss = cross_entropy(logits, labels, {.reduction = Reduction::sum});
  CHECK(loss.item() == 2e4);
  tape.backward(loss);
  CHECK(logits.grad().to_vector<float>() == std::vector<float>{0, 0, 1, -1});
  const Tensor impossible = Tensor::from<double>({0, -kInfinity}, {1, 2}).to(device);
  const auto loss_of = [&](int32_t label) {
    return cross_entropy(impossible, Tensor::from<int32_t>({label}, {1}).to(device)).item();
  };
  CHECK(loss_of(0) == 0);
  CHECK(loss_of(1) == kInfinity);
}

DEVICE_TEST_CASE("cross_entropy of an empty batch") {
  const Tensor logits = Tensor::zeros({0, 3}, DType::float32, device);
  const Tensor labels = Tensor::empty({0}, DType::int32, device);
  CHECK(std::isnan(cross_entropy(logits, labels).item()));
  CHECK(cross_entropy(logits, labels, {.reduction = Reduction::sum}).item() == 0);
  CHECK(cross_entropy(logits, labels, {.reduction = Reduction::none}).shape() == Shape{0});
}

DEVICE_TEST_CASE("cross_entropy and softmax have float64's gradients in float32") {
  Rng rng(6);
  for (const auto& [n, classes] : {std::pair<int64_t, int64_t>{9, 10}, {2, 1100}}) {
    const Tensor logits = rng.normal({n, classes}, 0, 2).to(device);
    const Tensor labels = rng.integers({n}, 0, static_cast<int32_t>(classes)).to(device);
    const auto gradient = [&](DType dtype, const auto& loss) {
      Tensor x = logits.to(dtype).clone().requires_grad_();
      Tape tape;
      tape.backward(loss(x));
      return x.grad().to(DType::float64).to_vector<double>();
    };
    const auto check = [&](const auto& loss) {
      const auto narrow = gradient(DType::float32, loss), wide = gradient(DType::float64, loss);
      double worst = 0;
      for (size_t i = 0; i < wide.size(); ++i)
        if (const double error = std::abs(narrow[i] - wide[i]); !(error <= worst)) worst = error;
      CHECK(worst <= 2e-6);
    };
    check([&](const Tensor& x) { return cross_entropy(x, labels, {.label_smoothing = 0.1}); });
    for (const int axis : {0, 1})
      check([&](const Tensor& x) {
        const Tensor y = log_softmax(x, axis) + softmax(x, axis);
        return cross_entropy(y, labels);
      });
  }
}

TEST_CASE("a label that is not a class makes its row NaN, and no other [cuda]") {
  Tensor logits = Rng(7).normal({3, 4}, 0, 1).to(Device::cuda).requires_grad_();
  for (const int32_t bad : {-1, 4}) {
    const Tensor labels = Tensor::from<int32_t>({2, bad, 0}, {3}).to(Device::cuda);
    Tape tape;
    const Tensor each = cross_entropy(logits, labels, {.reduction = Reduction::none});
    CHECK(std::isnan(each.at({1})));
    CHECK(std::isfinite(each.at({0})));
    tape.backward(cross_entropy(logits, labels));
    for (int64_t row = 0; row < 3; ++row)
      for (int64_t k = 0; k < 4; ++k) CHECK(std::isnan(logits.grad().at({row, k})) == (row == 1));
  }
}

TEST_CASE("cross_entropy has the same bits for any number of threads") {
  const int threads = num_threads();
  auto run = [&](int n) {
    set_num_threads(n);
    Rng rng(5);
    Tensor logits = rng.normal({9000, 10}, 0, 3).requires_grad_();
    const Tensor labels = rng.integers({9000}, 0, 10);
    Tape tape;
    const Tensor loss = cross_entropy(logits, labels, {.label_smoothing = 0.1});
    tape.backward(loss);
    return std::vector{loss.to_vector<float>(), logits.grad().to_vector<float>(),
                       softmax(logits, 0).to_vector<float>()};
  };
  const auto one = run(1), two = run(2);
  set_num_threads(threads);
  CHECK(one == two);
}

DEVICE_TEST_CASE("labels of cross_entropy may be uint8") {
  const Tensor logits = Rng(4).uniform({3, 10}, -1, 1).to(device);
  const Tensor labels = Tensor::from<int32_t>({0, 9, 4}, {3}).to(device);
  CHECK(cross_entropy(logits, labels.to(DType::uint8)).item() ==
        cross_entropy(logits, labels).item());
}

TEST_CASE("cross_entropy refuses what does not fit together") {
  const Tensor logits = Tensor::ones({3, 10});
  const Tensor labels = Tensor::from<int32_t>({0, 9, 10}, {3});
  CHECK_THROWS_WITH_AS(
      cross_entropy(logits, labels),
      "cross_entropy: label 10 at position 2 is out of range for 10 classes (logits [3, 10])",
      Error);
  CHECK_THROWS_WITH_AS(
      cross_entropy(logits, Tensor::from<int32_t>({0, -1, 10}, {3})),
      "cross_entropy: label -1 at position 1 is out of range for 10 classes (logits [3, 10])",
      Error);
  if (is_available(Device::cuda))
    CHECK_THROWS_WITH_AS(cross_entropy(logits, labels.to(Device::cuda)),
                         "cross_entropy: logits are on cpu, labels on cuda", Error);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Tensor::arange(4)),
                       "cross_entropy: expected logits [N, K] and labels [N], got [3, 10] and [4]",
                       Error);
  CHECK_THROWS_WITH_AS(
      cross_entropy(logits, Tensor::ones({3})),
      "cross_entropy: expected labels of int32 or uint8, got float32; convert them "
      "with "
      "labels.to(DType::int32)",
      Error);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Tensor()),
                       "cross_entropy: labels is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(cross_entropy(labels, labels),
                       "cross_entropy: expected logits of float32 or float64, got int32", Error);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Tensor::arange(3), {.label_smoothing = 1.5}),
                       "cross_entropy: the label smoothing must be in [0, 1], got 1.5", Error);
  CHECK_THROWS_WITH_AS(softmax(labels), "softmax: expected float32 or float64, got int32", Error);
  CHECK_THROWS_WITH_AS(log_softmax(logits, 2),
                       "log_softmax: axis 2 is out of range for shape [3, 10]", Error);
}
