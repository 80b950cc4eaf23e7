#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

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

Inputs make_inputs(const Shape& shape, DType dtype, double offset = 0) {
  Rng rng(1);
  const Shape channels{shape[1]};
  return {rng.normal(shape, offset, 2, dtype), rng.uniform(channels, 0.5, 2, dtype),
          rng.normal(channels, 0, 1, dtype), rng.normal(channels, 0, 1, dtype),
          rng.uniform(channels, 0.5, 2, dtype)};
}

double worst_difference(const Tensor& y, const Inputs& in, const std::vector<Statistics>& by,
                        double eps) {
  const std::vector<double> x = in.x.to(DType::float64).to_vector<double>();
  const std::vector<double> got = y.to(DType::float64).to_vector<double>();
  const int64_t run = in.x.shape().size_from(2), channels = in.x.extent(1);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t c = static_cast<int64_t>(i) / run % channels;
    const long double expected =
        (x[i] - by[c].mean) / std::sqrt(by[c].variance + eps) * in.gamma.at({c}) + in.beta.at({c});
    const double error = static_cast<double>(std::abs(got[i] - expected));
    if (!std::isnan(worst) && !(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace

TEST_CASE("batch norm normalises by the batch's statistics and moves the running ones") {
  for (const DType dtype : {DType::float32, DType::float64})
    for (const Shape& shape : kShapes) {
      CAPTURE(to_string(shape));
      const Inputs in = make_inputs(shape, dtype);
      Tensor mean = in.mean.clone(), variance = in.variance.clone();
      const Tensor y =
          batch_norm(in.x, in.gamma, in.beta, mean, variance, {.momentum = 0.3, .eps = 1e-3});
      const std::vector<double> x = in.x.to(DType::float64).to_vector<double>();
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

TEST_CASE("in eval mode the running statistics are used and left alone") {
  for (const Shape& shape : {Shape{3, 4, 5, 7}, Shape{1, 3}, Shape{0, 3, 2}}) {
    const Inputs in = make_inputs(shape, DType::float64);
    const std::vector<double> before = in.mean.to_vector<double>();
    std::vector<Statistics> by;
    for (int64_t c = 0; c < shape[1]; ++c) by.push_back({in.mean.at({c}), in.variance.at({c})});
    const Tensor y = batch_norm(in.x, in.gamma, in.beta, in.mean, in.variance, {.training = false});
    CHECK(worst_difference(y, in, by, 1e-5) <= 1e-13);
    CHECK(in.mean.to_vector<double>() == before);
  }
}

TEST_CASE("a large common offset costs no digits of the variance") {
  const Inputs in = make_inputs({16, 2, 9, 9}, DType::float32, 1e4);
  const std::vector<double> x = in.x.to(DType::float64).to_vector<double>();
  const Tensor y = batch_norm(in.x, in.gamma, in.beta, {}, {});
  CHECK(worst_difference(y, in, {statistics(x, in.x.shape(), 0), statistics(x, in.x.shape(), 1)},
                         1e-5) <= 1e-5);
}

TEST_CASE("batch norm has the gradients of central differences, in both modes") {
  for (const Shape& shape : kShapes)
    for (const bool training : {true, false}) {
      CAPTURE(to_string(shape));
      CAPTURE(training);
      const Inputs in = make_inputs(shape, DType::float64);
      // A large eps keeps two values per channel from being squeezed to ±1, where slopes vanish.
      const BatchNormOptions options{.training = training, .eps = 0.5};
      const auto report = gradcheck(
          [&](const auto& v) {
            return batch_norm(v[0], v[1], v[2], in.mean.clone(), in.variance.clone(), options);
          },
          {in.x, in.gamma, in.beta});
      CHECK_MESSAGE(report.ok, report.message);
      const auto plain = gradcheck(
          [&](const auto& v) {
            return batch_norm(v[0], {}, {}, in.mean.clone(), in.variance.clone(), options);
          },
          {in.x});
      CHECK_MESSAGE(plain.ok, plain.message);
    }
}

TEST_CASE("one thread and two give the same bits") {
  const int threads = num_threads();
  std::vector<std::vector<float>> results;
  for (const int count : {1, 2}) {
    set_num_threads(count);
    Inputs in = make_inputs({37, 5, 21, 23}, DType::float32);
    in.x.requires_grad_(), in.gamma.requires_grad_();
    Tape tape;
    const Tensor y = batch_norm(in.x, in.gamma, in.beta, in.mean, in.variance);
    Tensor total = Tensor::scalar(0);
    record("total", {&y}, total, {},
           [&](Gradients& gradients) { gradients.set(0, Rng(5).normal(y.shape(), 0, 1)); });
    tape.backward(total);
    for (const Tensor& t : {y, in.x.grad(), in.gamma.grad(), in.mean, in.variance})
      results.push_back(t.to_vector<float>());
  }
  set_num_threads(threads);
  for (size_t k = 0; k < 5; ++k) CHECK(results[k] == results[k + 5]);
}

TEST_CASE("batch norm refuses what it cannot normalise") {
  const Tensor x = Tensor::ones({2, 3, 4}), three = Tensor::ones({3});
  CHECK_THROWS_WITH_AS(batch_norm(x, Tensor::ones({4}), {}, {}, {}),
                       "batch_norm: expected gamma of shape [3] and float32 for input [2, 3, 4], "
                       "got [4] and float32",
                       Error);
  CHECK_THROWS_WITH_AS(
      batch_norm(Tensor::ones({1, 3}), {}, {}, {}, {}),
      "batch_norm: expected at least 2 values per channel in training, got input [1, 3]", Error);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, {}, {}, three, {.training = false}),
                       "batch_norm: running_mean is needed when not training", Error);
  CHECK_THROWS_AS(batch_norm(Tensor::ones({3}), {}, {}, {}, {}), Error);
  CHECK_THROWS_AS(batch_norm(Tensor::arange(6).reshape({2, 3}), {}, {}, {}, {}), Error);
}
