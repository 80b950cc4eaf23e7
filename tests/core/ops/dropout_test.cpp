#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/dropout.h>
#include <pade/core/parallel.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

DEVICE_TEST_CASE("dropout keeps what the generator's words say and scales it") {
  for (const int64_t n : {0, 1, 5, 255, 256, 257, 40001})
    for (const double probability : {0.1, 0.5, 0.75}) {
      Rng values(1), rng(2, "dropout", 3);
      rng.set_counter(0xFFFFFFF0);  // the counter's lower word overflows on the way
      const Tensor x = values.uniform({n}, 1, 2, DType::float64);
      const Rng start = rng;
      const Tensor result = dropout(x.to(device), probability, rng);
      REQUIRE(result.device() == device);
      const Tensor y = result.to(Device::cpu);
      CHECK(rng.counter() == start.counter() + (n + 3) / 4);
      int64_t wrong = 0, kept = 0;
      for (int64_t i = 0; i < n; ++i) {
        const bool keep =
            uniform_float(start.block_at(i / 4)[i % 4]) >= static_cast<float>(probability);
        const double expected = keep ? x.data<double>()[i] * (1 / (1 - probability)) : 0;
        wrong += y.data<double>()[i] != expected;
        kept += keep;
      }
      CHECK(wrong == 0);
      const double deviation = std::sqrt(n * probability * (1 - probability));
      CHECK(std::abs(kept - n * (1 - probability)) <= 4 * deviation + 1);

      Rng again = start;
      const Tensor y32 =
          dropout(x.to(DType::float32).to(device), probability, again).to(Device::cpu);
      int64_t differently_masked = 0;
      for (int64_t i = 0; i < n; ++i)
        differently_masked += (y32.data<float>()[i] == 0) != (y.data<double>()[i] == 0);
      CHECK(differently_masked == 0);
    }
}

DEVICE_TEST_CASE("dropout of more elements than the largest grid takes at once") {
  constexpr int64_t kCount = 1056 * 256 * 4 + 1026;
  Rng rng(10);
  const Rng start = rng;
  const auto y = dropout(Tensor::ones({kCount}).to(device), 0.5, rng).to_vector<float>();
  int64_t wrong = 0;
  for (int64_t i = 0; i < kCount; ++i)
    wrong += y[i] != (uniform_float(start.block_at(i / 4)[i % 4]) >= 0.5f ? 2 : 0);
  CHECK(wrong == 0);
}

DEVICE_TEST_CASE("dropout takes views that begin anywhere") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor all = Rng(11).uniform({1003}, 1, 2, dtype).to(device);
    for (const int64_t begin : {1, 2, 3}) {
      const Tensor view = all.slice(begin, 1003);
      Rng rng(12), again(12);
      CHECK(dropout(view, 0.3, rng).to(DType::float64).to_vector<double>() ==
            dropout(view.clone(), 0.3, again).to(DType::float64).to_vector<double>());
    }
  }
}

DEVICE_TEST_CASE("dropout keeps an element whose number equals the probability") {
  Rng rng(9);
  const double drawn = uniform_float(rng.block_at(0)[0]);
  CHECK(dropout(Tensor::ones({1}).to(device), drawn, rng).item() ==
        static_cast<float>(1 / (1 - drawn)));
}

DEVICE_TEST_CASE("dropout has the gradients of central differences") {
  Rng rng(3);
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{7}, Shape{3, 100}}) {
    const auto report = gradcheck(
        [](const auto& in) {
          Rng same(4);
          return dropout(in[0], 0.4, same);
        },
        {rng.uniform(shape, -1, 1, DType::float64).to(device)});
    CHECK_MESSAGE(report.ok, to_string(shape), ": ", report.message);
  }
}

DEVICE_TEST_CASE("dropout with probability 0 changes and draws nothing") {
  Rng rng(5);
  const Tensor x = Tensor::ones({10}).to(device);
  CHECK(dropout(x, 0, rng).to_vector<float>() == x.to_vector<float>());
  CHECK(rng.counter() == 0);
}

DEVICE_TEST_CASE("dropout removes NaN and infinities with their elements") {
  Rng rng(6);
  const Tensor x = Tensor::full({64}, std::numeric_limits<double>::quiet_NaN()).to(device);
  const Tensor y = dropout(x, 0.5, rng);
  int64_t zeros = 0, nans = 0;
  for (const float value : y.to_vector<float>()) {
    zeros += value == 0;
    nans += std::isnan(value);
  }
  CHECK(zeros > 0);
  CHECK(nans > 0);
  CHECK(zeros + nans == 64);
}

TEST_CASE("dropout has the same bits for any number of threads") {
  const int threads = num_threads();
  const Tensor x = Tensor::ones({100003});
  auto run = [&](int n) {
    set_num_threads(n);
    Rng rng(7);
    return dropout(x, 0.3, rng).to_vector<float>();
  };
  const auto one = run(1), two = run(2);
  set_num_threads(threads);
  CHECK(one == two);
}

DEVICE_TEST_CASE("dropout with probability 1 leaves nothing, and no gradient") {
  Rng rng(8);
  Tensor x = Tensor::full({1001}, std::numeric_limits<double>::infinity(), DType::float32, device);
  x.requires_grad_();
  Tape tape;
  const Tensor y = dropout(x, 1, rng);
  tape.backward(y.sum());
  CHECK(y.to_vector<float>() == std::vector<float>(1001, 0));
  CHECK(x.grad().to_vector<float>() == std::vector<float>(1001, 0));
}

TEST_CASE("dropout refuses other probabilities and dtypes") {
  Rng rng(8);
  const Tensor x = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(dropout(x, 1.5, rng), "dropout: the probability must be in [0, 1], got 1.5",
                       Error);
  CHECK_THROWS_AS(dropout(x, -0.1, rng), Error);
  CHECK_THROWS_AS(dropout(x, std::numeric_limits<double>::quiet_NaN(), rng), Error);
  CHECK_THROWS_WITH_AS(dropout(Tensor::arange(2), 0.5, rng),
                       "dropout: expected float32 or float64, got int32", Error);
  CHECK(rng.counter() == 0);
}
