#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

const Shape kShapes[] = {{5, 3},       {2, 1},          {2, 3, 4}, {3, 4, 5, 7},
                         {1, 2, 1, 2}, {4, 2, 3, 1, 2}, {3, 0, 2}};

struct Statistics {
  long double mean = 0, variance = 0;
};

/// Two passes in long double.
Statistics statistics(const std::vector<double>& x, const Shape& shape, int64_t channel) {
  const int64_t run = shape.size_from(2), count = shape[0] * run;
  auto each = [&](auto&& f) {
    for (int64_t n = 0; n < shape[0]; ++n)
      for (int64_t i = 0; i < run; ++i) f(x[(n * shape[1] + channel) * run + i]);
  };
  Statistics s;
  each([&](long double value) { s.mean += value / count; });
  each([&](long double value) { s.variance += (value - s.mean) * (value - s.mean) / count; });
  return s;
}

struct Inputs {
  Tensor x, gamma, beta, mean, variance;
};

Inputs make_inputs(const Shape& shape, DType dtype, Device device, double offset = 0) {
  Rng rng(1);
  const Shape channels{shape[1]};
  return {rng.normal(shape, offset, 2, dtype).to(device),
          rng.uniform(channels, 0.5, 2, dtype).to(device),
          rng.normal(channels, 0, 1, dtype).to(device),
          rng.normal(channels, 0, 1, dtype).to(device),
          rng.uniform(channels, 0.5, 2, dtype).to(device)};
}

std::vector<double> values_of(const Tensor& tensor) {
  return tensor.to(DType::float64).to_vector<double>();
}

double worst_difference(const Tensor& y, const Inputs& in, const std::vector<Statistics>& by,
                        double eps) {
  const std::vector<double> x = values_of(in.x), gamma = values_of(in.gamma),
                            beta = values_of(in.beta), got = values_of(y);
  const int64_t run = in.x.shape().size_from(2), channels = in.x.extent(1);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t c = static_cast<int64_t>(i) / run % channels;
    const long double expected =
        (x[i] - by[c].mean) / std::sqrt(by[c].variance + eps) * gamma[c] + beta[c];
    const double error = static_cast<double>(std::abs(got[i] - expected));
    if (!std::isnan(worst) && !(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace

DEVICE_TEST_CASE("batch norm normalises by the batch's statistics and moves the running ones") {
  for (const DType dtype : {DType::float32, DType::float64})
    for (const Shape& shape : kShapes) {
      CAPTURE(to_string(shape));
      const Inputs in = make_inputs(shape, dtype, device);
      Tensor mean = in.mean.clone(), variance = in.variance.clone();
      const Tensor y =
          batch_norm(in.x, in.gamma, in.beta, mean, variance, {.momentum = 0.3, .eps = 1e-3});
      const std::vector<double> x = values_of(in.x);
      std::vector<Statistics> by;
      const double tolerance = dtype == DType::float32 ? 3e-6 : 1e-13;
      const double count = static_cast<double>(shape[0] * shape.size_from(2));
      for (int64_t c = 0; c < shape[1]; ++c) {
        by.push_back(statistics(x, shape, c));
        const double unbiased = static_cast<double>(by[c].variance) * count / (count - 1);
        CHECK(std::abs(mean.at({c}) - (0.7 * in.mean.at({c}) + 0.3 * by[c].mean)) <= tolerance);
        CHECK(std::abs(variance.at({c}) - (0.7 * in.variance.at({c}) + 0.3 * unbiased)) <=
              tolerance * (1 + unbiased));
      }
      CHECK(worst_difference(y, in, by, 1e-3) <= 4 * tolerance);
    }
}

DEVICE_TEST_CASE("in eval mode the running statistics are used and left alone") {
  for (const Shape& shape : {Shape{3, 4, 5, 7}, Shape{1, 3}, Shape{0, 3, 2}}) {
    const Inputs in = make_inputs(shape, DType::float64, device);
    const std::vector<double> before = in.mean.to_vector<double>();
    std::vector<Statistics> by;
    for (int64_t c = 0; c < shape[1]; ++c) by.push_back({in.mean.at({c}), in.variance.at({c})});
    const Tensor y = batch_norm(in.x, in.gamma, in.beta, in.mean, in.variance, {.training = false});
    CHECK(worst_difference(y, in, by, 1e-5) <= 1e-13);
    CHECK(in.mean.to_vector<double>() == before);
  }
}

DEVICE_TEST_CASE("a large common offset costs no digits of the variance") {
  const Inputs in = make_inputs({16, 2, 9, 9}, DType::float32, device, 1e4);
  const std::vector<double> x = values_of(in.x);
  const Tensor y = batch_norm(in.x, in.gamma, in.beta, {}, {});
  CHECK(worst_difference(y, in, {statistics(x, in.x.shape(), 0), statistics(x, in.x.shape(), 1)},
                         1e-5) <= 1e-5);
}

DEVICE_TEST_CASE("batch norm has the gradients of central differences, in both modes") {
  const GradcheckOptions check_options{.max_elements = device == Device::cpu ? 512 : 5};
  for (const Shape& shape : kShapes)
    for (const bool training : {true, false}) {
      CAPTURE(to_string(shape));
      CAPTURE(training);
      const Inputs in = make_inputs(shape, DType::float64, device);
      // A large eps keeps two values per channel from being squeezed to ±1, where slopes vanish.
      const BatchNormOptions options{.training = training, .eps = 0.5};
      const auto report = gradcheck(
          [&](const auto& v) {
            return batch_norm(v[0], v[1], v[2], in.mean.clone(), in.variance.clone(), options);
          },
          {in.x, in.gamma, in.beta}, check_options);
      CHECK_MESSAGE(report.ok, report.message);
      const auto plain = gradcheck(
          [&](const auto& v) {
            return batch_norm(v[0], {}, {}, in.mean.clone(), in.variance.clone(), options);
          },
          {in.x}, check_options);
      CHECK_MESSAGE(plain.ok, plain.message);
    }
}

namespace {

/// What a step of training leaves behind: y, dx, dgamma, dbeta and the running statistics.
std::vector<std::vector<double>> step(Inputs in, const Tensor& dys, bool training = true) {
  for (Tensor* leaf : {&in.x, &in.gamma, &in.beta}) *leaf = leaf->detach().requires_grad_();
  in.mean = in.mean.clone(), in.variance = in.variance.clone();
  Tape tape;
  const Tensor y =
      batch_norm(in.x, in.gamma, in.beta, in.mean, in.variance, {.training = training});
  Tensor total = Tensor::scalar(0);
  record("total", {&y}, total, {}, [&](Gradients& gradients) { gradients.set(0, dys); });
  tape.backward(total);
  return {values_of(y),
          values_of(in.x.grad()),
          values_of(in.gamma.grad()),
          values_of(in.beta.grad()),
          values_of(in.mean),
          values_of(in.variance)};
}

Inputs on(Device device, const Inputs& in) {
  return {in.x.to(device), in.gamma.to(device), in.beta.to(device), in.mean.to(device),
          in.variance.to(device)};
}

/// The worst difference, relative to the largest value expected.
double relative_difference(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  double worst = 0, largest = 1e-3;
  for (size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(got[i] - expected[i]);
    if (!std::isnan(worst) && !(error <= worst)) worst = error;
    largest = std::max(largest, std::abs(expected[i]));
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("batch norm on the GPU agrees with the CPU, and with itself [cuda]") {
  // Around the sizes of packs (4 or 2 elements), of a warp (32 channels, or packs of them, for a
  // block), of a block (256 packs of a run), and with several blocks for one channel.
  for (const Shape& shape :
       {Shape{70, 37}, Shape{33, 3, 2}, Shape{3, 17, 4}, Shape{2, 9, 12}, Shape{21, 5, 8},
        Shape{2, 3, 5, 7}, Shape{13, 2, 4, 8}, Shape{3, 2, 17, 17}, Shape{7, 2, 1032},
        Shape{2, 1, 2052}, Shape{900, 2}})
    for (const DType dtype : {DType::float32, DType::float64})
      for (const bool training : {true, false}) {
        if (!training && dtype == DType::float64) continue;
        CAPTURE(to_string(shape));
        CAPTURE(dtype);
        CAPTURE(training);
        const Inputs in = make_inputs(shape, dtype, Device::cpu);
        const Tensor dys = Rng(6).normal(shape, 0, 1, dtype);
        const auto expected = step(in, dys, training);
        const Inputs there = on(Device::cuda, in);
        const auto got = step(there, dys.to(Device::cuda), training);
        // Sums are float64 on both; what is left is the rounding of a few operations per element.
        const double tolerance = dtype == DType::float32 ? 5e-7 : 1e-14;
        for (size_t k = 0; k < got.size(); ++k)
          CHECK_MESSAGE(relative_difference(got[k], expected[k]) <= tolerance, "result ", k);
        if (training && dtype == DType::float32) CHECK(step(there, dys.to(Device::cuda)) == got);
      }
}

DEVICE_TEST_CASE("batch norm takes more elements than a grid has threads") {
  const Shape shape{2, 5, 54100};  // 1056 blocks of 256 threads, with two elements each, and some
  const Inputs in = make_inputs(shape, DType::float64, device);
  std::vector<Statistics> by;
  for (int64_t c = 0; c < 5; ++c) by.push_back({in.mean.at({c}), in.variance.at({c})});
  const Tensor y = batch_norm(in.x, in.gamma, in.beta, in.mean, in.variance, {.training = false});
  CHECK(worst_difference(y, in, by, 1e-5) <= 1e-13);
}

DEVICE_TEST_CASE("batch norm takes views that begin anywhere") {
  const Shape shape{4, 3, 8};
  const Tensor all = Rng(7).normal({2, 97}, 0, 1);
  Inputs in = make_inputs(shape, DType::float32, device), shifted = in;
  auto view = [&](int64_t row, bool from_odd) {
    const Tensor whole = (from_odd ? all.to(device) : all)[row];
    return from_odd ? whole.slice(1, 97).reshape(shape)
                    : whole.slice(1, 97).reshape(shape).clone().to(device);
  };
  in.x = view(0, false), shifted.x = view(0, true);
  const auto expected = step(in, view(1, false)), got = step(shifted, view(1, true));
  for (size_t k = 0; k < got.size(); ++k)
    CHECK_MESSAGE(relative_difference(got[k], expected[k]) <= 5e-7, "result ", k);
}

DEVICE_TEST_CASE("NaN in a channel stays in that channel") {
  Inputs in = make_inputs({3, 4, 5}, DType::float32, Device::cpu);
  in.x.mutable_data<float>()[1 * 5 + 2] = std::nanf("");
  const auto results = step(on(device, in), Tensor::ones(in.x.shape()).to(device));
  for (size_t k = 0; k < results.size(); ++k) {
    if (k == 3) continue;  // dbeta does not depend on x
    int wrong = 0;
    const int64_t run = k < 2 ? 5 : 1;
    for (int64_t i = 0; i < static_cast<int64_t>(results[k].size()); ++i)
      wrong += std::isnan(results[k][i]) != (i / run % 4 == 1);
    CHECK_MESSAGE(wrong == 0, "result ", k);
  }
}

TEST_CASE("one thread and two give the same bits") {
  const int threads = num_threads();
  const Inputs in = make_inputs({37, 5, 21, 23}, DType::float32, Device::cpu);
  const Tensor dys = Rng(5).normal(in.x.shape(), 0, 1);
  set_num_threads(1);
  const auto one = step(in, dys);
  set_num_threads(2);
  const auto two = step(in, dys);
  set_num_threads(threads);
  CHECK(one == two);
}

TEST_CASE("batch norm updates no statistics in the memory of something else") {
  const Tensor x = Rng(1).normal({4, 3}, 0, 1);
  const Tensor memory = Tensor::ones({6}), mean = memory.slice(0, 3), variance = memory.slice(3, 6);
  const char* message =
      "batch_norm: running statistics, which are updated in place, share memory with another "
      "argument; clone() them";
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, {}, mean, memory.slice(2, 5)), message, Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, {}, mean, mean), message, Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, variance, {}, mean, variance), message, Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, mean, mean, variance), message, Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, {}, x[0], variance), message, Error);
  CHECK(memory.to_vector<float>() == std::vector<float>(6, 1));
  batch_norm(x, {}, {}, mean, mean, {.training = false});  // which are only read
  batch_norm(x, {}, {}, mean, variance);
  CHECK(memory.to_vector<float>() != std::vector<float>(6, 1));
}

TEST_CASE("batch norm refuses what it cannot normalise") {
  const Tensor x = Tensor::ones({2, 3, 4}), three = Tensor::ones({3});
  CHECK_THROWS_WITH_AS(batch_norm(x, Tensor::ones({4}), {}, {}, {}),
                       "batch_norm: expected gamma of shape [3], got [4] (x [2, 3, 4])", Error);
  CHECK_THROWS_WITH_AS(
      batch_norm(Tensor::ones({1, 3}), {}, {}, {}, {}),
      "batch_norm: expected at least 2 values per channel in training, got input [1, 3]", Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, {}, {}, three, {.training = false}),
                       "batch_norm: running_mean is needed when not training", Error);
  CHECK_THROWS_AS(batch_norm(Tensor::ones({3}), {}, {}, {}, {}), Error);
  CHECK_THROWS_AS(batch_norm(Tensor::arange(6).reshape({2, 3}), {}, {}, {}, {}), Error);
}

TEST_CASE("batch norm refuses tensors on two devices [cuda]") {
  const Tensor x = Tensor::ones({2, 3}).to(Device::cuda);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, Tensor::ones({3}), {}, {}),
                       "batch_norm: expected one device, got x on cuda and beta on cpu", Error);
}
