#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/linear.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

struct Sizes {
  int64_t n, in, out;
};

const Sizes kSizes[] = {{1, 1, 1}, {3, 4, 5}, {7, 1, 2}, {0, 3, 2}, {2, 0, 3}, {2, 3, 0}};

}  // namespace

DEVICE_TEST_CASE("linear is x times the transposed weight plus bias") {
  Rng rng(1);
  for (const Sizes& s : {Sizes{1, 1, 1}, Sizes{5, 7, 3}, Sizes{2, 0, 3}, Sizes{128, 400, 120}}) {
    const Tensor x = rng.uniform({s.n, s.in}, -1, 1), w = rng.uniform({s.out, s.in}, -1, 1);
    const Tensor b = rng.uniform({s.out}, -1, 1);
    const Tensor x_here = x.to(device), w_here = w.to(device);
    const Tensor with_bias = linear(x_here, w_here, b.to(device)).to(Device::cpu);
    const Tensor without = linear(x_here, w_here).to(Device::cpu);
    double worst = 0;  // in units of the terms' rounding
    auto compare = [&](double got, double expected, double size_of_terms) {
      const double error = std::abs(got - expected);
      const double relative = error == 0 ? 0 : error / (size_of_terms * 0x1p-23);
      if (!(relative <= worst)) worst = relative;
    };
    for (int64_t n = 0; n < s.n; ++n)
      for (int64_t o = 0; o < s.out; ++o) {
        double sum = 0, size = 0;
        for (int64_t i = 0; i < s.in; ++i) {
          const double term = double{x.data<float>()[n * s.in + i]} * w.data<float>()[o * s.in + i];
          sum += term;
          size += std::abs(term);
        }
        compare(without.at({n, o}), sum, size);
        compare(with_bias.at({n, o}), sum + b.at({o}), size + std::abs(b.at({o})));
      }
    CHECK(worst <= 8);
  }
}

DEVICE_TEST_CASE("linear has the gradients of central differences") {
  Rng rng(2);
  for (const Sizes& s : kSizes) {
    const Tensor x = rng.uniform({s.n, s.in}, -1, 1, DType::float64).to(device);
    const Tensor w = rng.uniform({s.out, s.in}, -1, 1, DType::float64).to(device);
    const Tensor b = rng.uniform({s.out}, -1, 1, DType::float64).to(device);
    const auto with_bias =
        gradcheck([](const auto& in) { return linear(in[0], in[1], in[2]); }, {x, w, b});
    CHECK_MESSAGE(with_bias.ok, s.n, " ", s.in, " ", s.out, ": ", with_bias.message);
    const auto without = gradcheck([](const auto& in) { return linear(in[0], in[1]); }, {x, w});
    CHECK_MESSAGE(without.ok, s.n, " ", s.in, " ", s.out, ": ", without.message);
  }
}

DEVICE_TEST_CASE("linear is one entry of the tape and needs no gradient of x") {
  Tensor w = Tensor::ones({1, 2}).to(device).requires_grad_();
  Tensor b = Tensor::zeros({1}).to(device).requires_grad_();
  Tape tape;
  const Tensor y = linear(Tensor::full({1, 2}, 3).to(device), w, b);
  std::ostringstream recorded;
  recorded << tape;
  CHECK(recorded.str() ==
        "%0 = leaf  [1, 2]\n%1 = leaf  [1]\n%2 = linear(constant, %0, %1)  [1, 1]\n");
  tape.backward(y);
  CHECK(w.grad().to_vector<float>() == std::vector<float>{3, 3});
  CHECK(b.grad().to_vector<float>() == std::vector<float>{1});
}

DEVICE_TEST_CASE("linear sums the gradient of the bias without losing small terms") {
  const int64_t n = device == Device::cpu ? 100000 : 20000;
  Tensor b = Tensor::zeros({3}).to(device).requires_grad_();
  Tape tape;
  const Tensor y = linear(Tensor::zeros({n, 1}).to(device), Tensor::zeros({3, 1}).to(device), b);
  // Naive float32 sums of so many equal terms are off by 1e-4 and more.
  const Tensor loss = linear(y.reshape({1, -1}), Tensor::full({1, 3 * n}, 1 + 1e-3).to(device));
  tape.backward(loss);
  const double each = static_cast<double>(static_cast<float>(1 + 1e-3));
  for (int i = 0; i < 3; ++i) CHECK(std::abs(b.grad().at({i}) - n * each) <= n * each * 6e-8);
}

TEST_CASE("linear has the same bits for any number of threads") {
  const int threads = num_threads();
  for (const Sizes& s : {Sizes{128, 400, 120}, Sizes{5000, 20, 10}}) {
    auto run = [&](int n) {
      set_num_threads(n);
      Rng rng(3);
      Tensor x = rng.uniform({s.n, s.in}, -1, 1).requires_grad_();
      Tensor w = rng.uniform({s.out, s.in}, -1, 1).requires_grad_();
      Tensor b = rng.uniform({s.out}, -1, 1).requires_grad_();
      const Tensor cotangent = rng.uniform({1, s.n * s.out}, -1, 1);
      Tape tape;
      const Tensor y = linear(x, w, b);
      tape.backward(linear(y.reshape({1, -1}), cotangent));
      return std::vector{y.to_vector<float>(), x.grad().to_vector<float>(),
                         w.grad().to_vector<float>(), b.grad().to_vector<float>()};
    };
    const auto one = run(1), two = run(2);
    set_num_threads(threads);
    CHECK(one == two);
  }
}

DEVICE_TEST_CASE("linear takes any axes in front of the features") {
  Rng rng(5);
  const Tensor weight = rng.uniform({4, 3}, -1, 1, DType::float64, device),
               bias = rng.uniform({4}, -1, 1, DType::float64, device);
  for (const Shape& shape : {Shape{3}, Shape{7, 3}, Shape{2, 5, 3}, Shape{2, 0, 3}, {2, 1, 4, 3}}) {
    Tensor x = rng.uniform(shape, -1, 1, DType::float64, device);
    Tensor same = x.clone().requires_grad_();
    x.requires_grad_();
    Tape tape;
    const Tensor y = linear(x, weight, bias);
    const Tensor rows = linear(same.reshape(Shape{shape.size() / 3, 3}), weight, bias);
    tape.backward((y * y).sum() + (rows * rows).sum());
    CHECK(y.shape() == shape.with(-1, 4));
    CHECK(y.to_vector<double>() == rows.to_vector<double>());
    CHECK(x.grad().to_vector<double>() == same.grad().to_vector<double>());
  }
}

TEST_CASE("linear refuses what does not fit together") {
  const Tensor x = Tensor::ones({2, 3}), w = Tensor::ones({4, 3});
  CHECK_THROWS_WITH_AS(linear(x, Tensor::ones({3, 4})),
                       "linear: x has 3 features, weight expects 4 (x [2, 3], weight [3, 4])",
                       Error);
  CHECK_THROWS_WITH_AS(linear(Tensor::ones({2, 3, 1}), w),
                       "linear: x has 1 features, weight expects 3 (x [2, 3, 1], weight [4, 3]); "
                       "Flatten() before this layer makes x [2, 3]",
                       Error);
  CHECK_THROWS_WITH_AS(linear(Tensor::scalar(1), w),
                       "linear: expected x […, in] and weight [out, in], got x [] and weight "
                       "[4, 3]",
                       Error);
  CHECK_THROWS_WITH_AS(linear(x, w, Tensor::ones({3})),
                       "linear: expected bias of shape [4], got [3] (weight [4, 3])", Error);
  CHECK_THROWS_WITH_AS(linear(Tensor(), w), "linear: x is undefined; assign a tensor to it first",
                       Error);
  CHECK_THROWS_WITH_AS(linear(x, Tensor()),
                       "linear: weight is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(linear(x, w.to(DType::float64)),
                       "linear: expected one dtype, got x float32 [2, 3] and weight float64 [4, 3]",
                       Error);
  CHECK_THROWS_WITH_AS(linear(Tensor::arange(2).reshape({1, 2}), w),
                       "linear: expected float32 or float64, got int32", Error);
}
