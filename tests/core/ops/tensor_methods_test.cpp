#include <doctest/doctest.h>

#include <vector>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

using Doubles = std::vector<double>;

DEVICE_TEST_CASE("methods give what their names say") {
  const Tensor x = Tensor::from<double>({1, -2, 3, 4, 0, -6}, {2, 3}).to(device);
  CHECK(x.sum().item() == 0);
  CHECK(x.sum({1}).to_vector<double>() == Doubles{2, -2});
  CHECK(x.sum({-1}, true).shape() == Shape{2, 1});
  CHECK(x.mean().item() == 0);
  CHECK(x.mean({0}).to_vector<double>() == Doubles{2.5, -1, -1.5});
  CHECK(x.max().item() == 4);
  CHECK(x.max({1}).to_vector<double>() == Doubles{3, 4});
  CHECK(x.min().item() == -6);
  CHECK(x.min({1}).to_vector<double>() == Doubles{-2, -6});
  CHECK(x.min({1}, true).shape() == Shape{2, 1});
  CHECK(x.argmax(1).to_vector<int32_t>() == std::vector<int32_t>{2, 0});
  CHECK(x.abs().to_vector<double>() == Doubles{1, 2, 3, 4, 0, 6});
  CHECK(x.relu().to_vector<double>() == Doubles{1, 0, 3, 4, 0, 0});
  CHECK(x.pow(2).to_vector<double>() == Doubles{1, 4, 9, 16, 0, 36});
  CHECK(x.transpose(0, 1).to_vector<double>() == Doubles{1, 4, -2, 0, 3, -6});
  CHECK(x.matmul(x.transpose(0, 1)).to_vector<double>() == Doubles{14, -14, -14, 52});
  const Tensor two = Tensor::full({1}, 2, DType::float64, device);
  CHECK(two.exp().item() == doctest::Approx(7.38905609893065));
  CHECK(two.log().item() == doctest::Approx(0.693147180559945));
  CHECK(two.sqrt().item() == doctest::Approx(1.4142135623731));
  CHECK(two.tanh().item() == doctest::Approx(0.964027580075817));
  CHECK(two.sigmoid().item() == doctest::Approx(0.880797077977882));
}

DEVICE_TEST_CASE("methods are recorded, and chain") {
  const Tensor x = Tensor::from<double>({1, -2, 3}, {3}).to(device).requires_grad_();
  Tape tape;
  tape.backward(x.relu().pow(3).mean());
  CHECK(x.grad().to_vector<double>() == Doubles{1, 0, 9});
}

DEVICE_TEST_CASE("total += loss is differentiable and leaves other handles alone") {
  const Tensor x = Tensor::from<double>({1, 2}, {2}).to(device).requires_grad_();
  Tape tape;
  Tensor total = Tensor::full({}, 1, DType::float64, device);
  const Tensor before = total;
  for (int i = 1; i <= 3; ++i) total += x.pow(i).sum();
  CHECK(total.item() == 1 + 3 + 5 + 9);
  CHECK(before.item() == 1);
  tape.backward(total);
  CHECK(x.grad().to_vector<double>() == Doubles{1 + 2 + 3, 1 + 4 + 12});
}

DEVICE_TEST_CASE("-=, *= and /=, and numbers on the right") {
  Tensor x = Tensor::full({2}, 6, DType::float64, device);
  const Tensor two = Tensor::full({2}, 2, DType::float64, device);
  x -= two;
  CHECK(x.at({1}) == 4);
  x *= two;
  CHECK(x.at({1}) == 8);
  x /= two;
  CHECK(x.at({1}) == 4);
  ((((x += 1) -= 3) *= 10) /= 4) += 0.5;
  CHECK(x.to_vector<double>() == Doubles{5.5, 5.5});
  CHECK(two.at({0}) == 2);
}

TEST_CASE("a leaf on the left of += is refused: it would be trained no more") {
  Tensor w = Tensor::ones({2}).requires_grad_();
  const Tensor two = Tensor::full({2}, 2);
  const auto message = doctest::Contains("-=: the left side is a leaf of shape [2]");
  CHECK_THROWS_WITH_AS(w -= two, message, Error);
  CHECK_THROWS_WITH_AS(w -= 2.0, message, Error);
  CHECK(w.at({0}) == 1);
  CHECK(w.requires_grad());
}
