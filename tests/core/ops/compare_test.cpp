#include <doctest/doctest.h>

#include <limits>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/compare.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/core/ops/index_reference.h"
#include "tests/devices.h"

using namespace pade;

namespace {

struct Case {
  const char* name;
  Tensor (*op)(const Tensor&, const TensorOrNumber&);
  bool (*reference)(double, double);
};

const Case kCases[] = {
    {"equal", equal, [](double a, double b) { return a == b; }},
    {"not_equal", not_equal, [](double a, double b) { return a != b; }},
    {"less", less, [](double a, double b) { return a < b; }},
    {"less_equal", less_equal, [](double a, double b) { return a <= b; }},
    {"greater", greater, [](double a, double b) { return a > b; }},
    {"greater_equal", greater_equal, [](double a, double b) { return a >= b; }},
};

const DType kDTypes[] = {DType::float32, DType::float64, DType::int32, DType::uint8};

/// Few distinct values, so that many are equal.
Tensor random_operand(Rng& rng, const Shape& shape, DType dtype) {
  return rng.integers(shape, 0, 4).to(dtype);
}

Tensor random_condition(Rng& rng, const Shape& shape) {
  return rng.integers(shape, 0, 3).to(DType::uint8);  // 2 is true as well
}

}  // namespace

DEVICE_TEST_CASE("comparisons agree with plain loops, for every dtype, broadcast") {
  Rng rng(1);
  for (int round = 0; round < (device == Device::cpu ? 60 : 6); ++round) {
    const bool large = round % 30 == 1;
    const Shape shape = large ? Shape{3, 47, 149} : reference::random_shape(rng);
    const Shape squeezed = reference::random_squeezed(rng, shape);
    for (const Case& c : kCases)
      for (const DType dtype : kDTypes) {
        CAPTURE(c.name);
        CAPTURE(name_of(dtype));
        CAPTURE(to_string(shape));
        CAPTURE(to_string(squeezed));
        const Tensor a = random_operand(rng, round % 2 ? shape : squeezed, dtype);
        const Tensor b = random_operand(rng, round % 2 ? squeezed : shape, dtype);
        const Tensor result = c.op(a.to(device), b.to(device));
        const Tensor number_result = c.op(a.to(device), 2);
        REQUIRE(result.device() == device);
        REQUIRE(number_result.device() == device);
        const Tensor y = result.to(Device::cpu), with_number = number_result.to(Device::cpu);
        REQUIRE(y.shape() == shape);
        REQUIRE(y.dtype() == DType::uint8);
        REQUIRE(with_number.shape() == a.shape());
        const auto of_a = a.to(DType::float64).to_vector<double>();
        const auto of_b = b.to(DType::float64).to_vector<double>();
        int64_t wrong = 0;
        for (int64_t i = 0; i < y.size(); ++i) {
          const auto index = reference::index_of(shape, i);
          wrong +=
              y.data<uint8_t>()[i] != c.reference(of_a[reference::stretched(a.shape(), index)],
                                                  of_b[reference::stretched(b.shape(), index)]);
        }
        for (int64_t i = 0; i < a.size(); ++i)
          wrong += with_number.data<uint8_t>()[i] != c.reference(of_a[i], 2);
        CHECK(wrong == 0);
      }
  }
}

DEVICE_TEST_CASE("comparisons with numbers that the dtype cannot hold, and with NaN") {
  using Bytes = std::vector<uint8_t>;
  const Tensor labels = Tensor::from<int32_t>({2, 3, 2147483647}, {3}).to(device);
  CHECK(less(labels, 2.5).to_vector<uint8_t>() == Bytes{1, 0, 0});
  CHECK(equal(labels, 2.5).to_vector<uint8_t>() == Bytes{0, 0, 0});
  CHECK(less(labels, 3e9).to_vector<uint8_t>() == Bytes{1, 1, 1});
  CHECK(greater(Tensor::from<uint8_t>({0, 255}, {2}).to(device), -1).to_vector<uint8_t>() ==
        Bytes{1, 1});
  CHECK(equal(Tensor::full({1}, 0.1).to(device), 0.1).item() == 1);

  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = Tensor::from<double>({nan, 1}, {2}).to(device);
  for (const Case& c : kCases) {
    const uint8_t expected = c.op == static_cast<decltype(c.op)>(not_equal);
    CAPTURE(c.name);
    CHECK(c.op(x, x).at({0}) == expected);
    CHECK(c.op(x, nan).to_vector<uint8_t>() == Bytes{expected, expected});
  }
}

DEVICE_TEST_CASE("operators compare as the functions do") {
  using Bytes = std::vector<uint8_t>;
  const Tensor a = Tensor::from<float>({1, 2, 3}, {3}).to(device);
  const Tensor b = Tensor::from<float>({2}, {1}).to(device);
  CHECK((a < b).to_vector<uint8_t>() == Bytes{1, 0, 0});
  CHECK((a <= b).to_vector<uint8_t>() == Bytes{1, 1, 0});
  CHECK((a > b).to_vector<uint8_t>() == Bytes{0, 0, 1});
  CHECK((a >= b).to_vector<uint8_t>() == Bytes{0, 1, 1});
  CHECK((a < 2).to_vector<uint8_t>() == Bytes{1, 0, 0});
  CHECK((a <= 2).to_vector<uint8_t>() == Bytes{1, 1, 0});
  CHECK((a > 2).to_vector<uint8_t>() == Bytes{0, 0, 1});
  CHECK((a >= 2).to_vector<uint8_t>() == Bytes{0, 1, 1});
  CHECK((2 < a).to_vector<uint8_t>() == Bytes{0, 0, 1});
  CHECK((2 <= a).to_vector<uint8_t>() == Bytes{0, 1, 1});
  CHECK((2 > a).to_vector<uint8_t>() == Bytes{1, 0, 0});
  CHECK((2 >= a).to_vector<uint8_t>() == Bytes{1, 1, 0});
  CHECK(where(a > 2, a, -1).to_vector<float>() == std::vector<float>{-1, -1, 3});
  CHECK(where(a > 2, -1, a).to_vector<float>() == std::vector<float>{1, 2, -1});
}

TEST_CASE("comparisons are not recorded") {
  const Tensor x = Tensor::ones({3}).requires_grad_();
  const Tape tape;
  CHECK_FALSE(less(x, x).requires_grad());
  CHECK_FALSE(less(x, 2).requires_grad());
  CHECK(tape.size() == 0);
}

DEVICE_TEST_CASE("where chooses, for every dtype, broadcast") {
  Rng rng(2);
  for (int round = 0; round < (device == Device::cpu ? 100 : 20); ++round) {
    const Shape shape = round % 20 == 0 ? Shape{3, 47, 149} : reference::random_shape(rng);
    Shape shapes[3] = {reference::random_squeezed(rng, shape),
                       reference::random_squeezed(rng, shape),
                       reference::random_squeezed(rng, shape)};
    shapes[round % 3] = shape;
    for (const DType dtype : kDTypes) {
      const Tensor condition = random_condition(rng, shapes[0]);
      const Tensor a = random_operand(rng, shapes[1], dtype);
      const Tensor b = random_operand(rng, shapes[2], dtype);
      const Tensor y = where(condition.to(device), a.to(device), b.to(device));
      REQUIRE(y.device() == device);
      REQUIRE(y.shape() == shape);
      REQUIRE(y.dtype() == dtype);
      std::vector<double> expected(shape.size());
      for (int64_t i = 0; i < shape.size(); ++i) {
        const auto index = reference::index_of(shape, i);
        const bool chosen = condition.data<uint8_t>()[reference::stretched(shapes[0], index)];
        const Tensor& from = chosen ? a : b;
        expected[i] = from.reshape({-1}).at({reference::stretched(from.shape(), index)});
      }
      CHECK(reference::worst_error(y, expected) == 0);
    }
  }
}

DEVICE_TEST_CASE("where has the gradients of central differences") {
  Rng rng(3);
  const Shape shapes[][3] = {{{7}, {7}, {7}},       {{2, 3}, {}, {3}},
                             {{2, 1}, {3}, {2, 3}}, {{3, 1, 1}, {2, 3, 4, 5}, {4, 1}},
                             {{}, {2}, {3, 1}},     {{0}, {1}, {0}}};
  for (const auto& [of_condition, of_a, of_b] : shapes) {
    const Tensor condition = random_condition(rng, of_condition).to(device);
    const auto report = gradcheck([&](const auto& in) { return where(condition, in[0], in[1]); },
                                  {rng.normal(of_a, 0, 1, DType::float64).to(device),
                                   rng.normal(of_b, 0, 1, DType::float64).to(device)},
                                  {.max_elements = device == Device::cpu ? 512 : 3});
    CHECK_MESSAGE(report.ok, to_string(of_condition), to_string(of_a), to_string(of_b), ": ",
                  report.message);
  }
}

DEVICE_TEST_CASE("where has the gradients of plain loops in float32") {
  Rng rng(5);
  const Shape shape{30, 41}, shapes[] = {{30, 41}, {41}, {30, 1}, {}};
  const Tensor condition = random_condition(rng, shape);
  const Tensor w = rng.uniform(shape, -1, 1);
  for (const Shape& of_a : shapes)
    for (const Shape& of_b : shapes) {
      const Tensor a = Tensor::zeros(of_a, DType::float32, device).requires_grad_();
      const Tensor b = Tensor::zeros(of_b, DType::float32, device).requires_grad_();
      Tape tape;
      const Tensor y = where(condition.to(device), a, b), weights = w.to(device);
      Tensor loss = Tensor::scalar(0).to(device);
      record("weigh", {&y}, loss, {&weights},
             [](Gradients& gradients) { gradients.set(0, gradients.saved(0)); });
      tape.backward(loss);
      Tensor chosen = w.clone(), others = w.clone();
      for (int64_t i = 0; i < w.size(); ++i)
        (condition.data<uint8_t>()[i] ? others : chosen).mutable_data<float>()[i] = 0;
      // Summed in float64, so that only the result is rounded.
      CHECK(reference::worst_error(a.grad(), reference::sum_to(chosen, of_a)) <= 6e-8);
      CHECK(reference::worst_error(b.grad(), reference::sum_to(others, of_b)) <= 6e-8);
    }
}

DEVICE_TEST_CASE("an element that where did not choose gets no gradient, not even from infinity") {
  const double inf = std::numeric_limits<double>::infinity();
  Tensor a = Tensor::zeros({2}, DType::float32, device).requires_grad_();
  const Tensor condition = Tensor::from<uint8_t>({1, 0}, {2}).to(device);
  Tape tape;
  const Tensor y = where(condition, a, Tensor::ones({2}, DType::float32, device));
  Tensor loss = Tensor::scalar(0).to(device);
  record("infinite", {&y}, loss, {}, [=](Gradients& gradients) {
    gradients.set(0, Tensor::full({2}, inf, DType::float32, device));
  });
  tape.backward(loss);
  CHECK(a.grad().at({0}) == inf);
  CHECK(a.grad().at({1}) == 0);
}

DEVICE_TEST_CASE("comparisons and where take views that begin anywhere") {
  Rng rng(4);
  const Tensor all = random_operand(rng, {1009}, DType::float32).to(device);
  const Tensor conditions = random_condition(rng, {1009}).to(device);
  for (const int64_t begin : {0, 1, 2, 4}) {
    const Tensor a = all.slice(begin, begin + 1003), b = all.slice(4, 1007);
    const Tensor condition = conditions.slice(begin, begin + 1003);
    const auto bytes = [](const Tensor& y) { return y.to_vector<uint8_t>(); };
    CHECK(bytes(less(a, b)) == bytes(less(a.clone(), b.clone())));
    CHECK(where(condition, a, b).to_vector<float>() ==
          where(condition.clone(), a.clone(), b.clone()).to_vector<float>());
  }
}

TEST_CASE("comparisons and where refuse what they cannot do") {
  const Tensor x = Tensor::ones({2, 3}), labels = Tensor::arange(3);
  const Tensor condition = Tensor::zeros({3}, DType::uint8);
  CHECK_THROWS_WITH_AS(less(x, labels),
                       "less: expected one dtype, got a float32 [2, 3] and b int32 [3]", Error);
  CHECK_THROWS_WITH_AS(equal(x, Tensor::ones({2})), "equal: shapes [2, 3] and [2] do not broadcast",
                       Error);
  CHECK_THROWS_WITH_AS(where(x, x, x),
                       "where: expected a condition of uint8 on cpu, got float32 "
                       "on cpu",
                       Error);
  CHECK_THROWS_WITH_AS(where(condition, x, labels),
                       "where: expected one dtype, got a float32 [2, 3] and b int32 [3]", Error);
  CHECK_THROWS_WITH_AS(where(condition, Tensor::ones({4}), Tensor::ones({2, 1})),
                       "where: shapes [3], [4] and [2, 1] do not broadcast", Error);
  CHECK_THROWS_WITH_AS(where(condition, 1, 0), "where: expected a tensor, got two numbers", Error);
  CHECK_THROWS_WITH_AS(where(Tensor(), x, x),
                       "where: condition is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(less(Tensor(), 1), "less: a is undefined; assign a tensor to it first",
                       Error);
}

TEST_CASE("comparisons and where refuse operands on two devices [cuda]") {
  const Tensor here = Tensor::ones({2}), there = here.to(Device::cuda);
  const Tensor condition = Tensor::zeros({2}, DType::uint8);
  CHECK_THROWS_WITH_AS(less(here, there), "less: expected one device, got a on cpu and b on cuda",
                       Error);
  CHECK_THROWS_WITH_AS(where(condition, there, there),
                       "where: expected a condition of uint8 on cuda, got uint8 on cpu", Error);
}
