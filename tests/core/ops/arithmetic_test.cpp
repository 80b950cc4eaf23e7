#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/compare.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/core/ops/index_reference.h"
#include "tests/devices.h"

using namespace pade;

namespace {

struct Case {
  const char* name;
  Tensor (*op)(const Tensor&, const Tensor&);
  double (*reference)(double, double);
};

const Case kCases[] = {
    {"add", add, [](double a, double b) { return a + b; }},
    {"sub", sub, [](double a, double b) { return a - b; }},
    {"mul", mul, [](double a, double b) { return a * b; }},
    {"div", div, [](double a, double b) { return a / b; }},
    {"minimum", minimum, [](double a, double b) { return a < b ? a : b; }},
    {"maximum", maximum, [](double a, double b) { return a > b ? a : b; }},
};

struct ShapePair {
  Shape a, b;
};

const ShapePair kShapes[] = {
    {{}, {}},
    {{7}, {7}},
    {{7}, {}},
    {{}, {2, 3}},
    {{0}, {1}},
    {{3, 0, 2}, {3, 1, 1}},
    {{0, 5}, {5}},
    {{3, 5}, {5}},
    {{3, 5}, {3, 1}},
    {{1, 5}, {5}},
    {{3, 1}, {1, 5}},
    {{4}, {3, 1}},
    {{2, 3, 4, 5}, {3, 1, 1}},
    {{2, 1, 4, 1}, {2, 3, 4, 5}},
    {{2, 3, 1, 1}, {2, 3, 4, 5}},
    {{2, 1, 3, 1, 2}, {1, 4, 1, 5, 1}},
    {{1, 2, 1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1, 2, 1}},
};

/// Positive and negative, away from 0.
Tensor random_operand(Rng& rng, const Shape& shape, DType dtype) {
  Tensor x = rng.uniform(shape, -3, 3, dtype);
  dispatch_floating(dtype, "random_operand", [&](auto zero) {
    using T = decltype(zero);
    T* values = x.mutable_data<T>();
    for (int64_t i = 0; i < x.size(); ++i) values[i] += values[i] < 0 ? T(-0.5) : T(0.5);
  });
  return x;
}

/// What the op should give, rounded once to the operands' dtype, as IEEE arithmetic is.
std::vector<double> expected_values(const Case& c, const Tensor& a, const Tensor& b,
                                    const Shape& shape) {
  const auto of_a = a.to(DType::float64).to_vector<double>();
  const auto of_b = b.to(DType::float64).to_vector<double>();
  std::vector<double> expected(shape.size());
  for (int64_t i = 0; i < shape.size(); ++i) {
    const auto index = reference::index_of(shape, i);
    const double y = c.reference(of_a[reference::stretched(a.shape(), index)],
                                 of_b[reference::stretched(b.shape(), index)]);
    expected[i] = a.dtype() == DType::float32 ? static_cast<double>(static_cast<float>(y)) : y;
  }
  return expected;
}

void check_values(Device device, const Case& c, Rng& rng, const Shape& shape_a,
                  const Shape& shape_b, const Shape& shape_y) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    CAPTURE(c.name);
    CAPTURE(to_string(shape_a));
    CAPTURE(to_string(shape_b));
    const Tensor a = random_operand(rng, shape_a, dtype), b = random_operand(rng, shape_b, dtype);
    const Tensor y = c.op(a.to(device), b.to(device));
    REQUIRE(y.device() == device);
    REQUIRE(y.dtype() == dtype);
    REQUIRE(y.shape() == shape_y);
    CHECK(reference::worst_error(y, expected_values(c, a, b, shape_y)) == 0);
  }
}

/// Of float32: an element's gradient is rounded twice, and sums are rounded once more.
constexpr double kElementTolerance = 1e-6, kSumTolerance = 2e-5;

/// The gradients of loss = Σ op(a, b) · w for float32 leaves, by hand where dy = w.
struct Gradient {
  Tensor a, b;
};
Gradient gradients_of(const Case& c, Tensor a, Tensor b, const Tensor& w) {
  a = a.detach().requires_grad_();
  b = b.detach().requires_grad_();
  Tape tape;
  Tensor loss = Tensor::zeros({}, w.dtype(), w.device());
  const Tensor y = c.op(a, b);
  record("weigh", {&y}, loss, {&w},
         [](Gradients& gradients) { gradients.set(0, gradients.saved(0)); });
  tape.backward(loss);
  return {a.grad(), b.grad()};
}

/// All layouts of a sum: over what is innermost or not, of few or many elements.
std::vector<ShapePair> layouts_of_sums(Device device) {
  if (device == Device::cpu)
    return {{{18, 2, 31, 33}, {2, 1, 1}},  // chunks of runs
            {{1000, 37}, {37}},            // chunks of short rows
            {{40, 1500}, {1500}},          // strips of columns
            {{41, 1100}, {41, 1}},         // one run per result
            {{40001}, {}},                 // all into one
            {{7, 60, 5, 11}, {60, 1, 11}},
            {{1, 30}, {30}}};           // nothing to sum
  return {{{9, 2, 16, 31}, {2, 1, 1}},  // a block per result, reading packs …
          {{9, 2, 15, 31}, {2, 1, 1}},  // … and single elements
          {{2, 8003}, {2, 1}},          // chunks of long runs
          {{300, 3}, {3}},              // chunks of short rows
          {{20, 150}, {150}},           // strips of columns
          {{21, 200}, {21, 1}},         // a warp per result
          {{70, 12}, {70, 1}},          // a few lanes per result
          {{9000}, {}},                 // all into one
          {{3, 20, 5, 7}, {20, 1, 7}},
          {{1, 30}, {30}}};  // nothing to sum
}

/// In float32, against the CPU's in float64 without stretching; either operand may be stretched.
void check_gradients(const Case& c, const ShapePair& shapes, Device device, Rng& rng) {
  CAPTURE(c.name);
  CAPTURE(to_string(shapes.a));
  CAPTURE(to_string(shapes.b));
  const Tensor a = random_operand(rng, shapes.a, DType::float32);
  const Tensor b = random_operand(rng, shapes.b, DType::float32);
  const Tensor w = rng.uniform(shapes.a, -1, 1);
  Tensor b_written_out = Tensor::empty(shapes.a, DType::float64);
  double* out = b_written_out.mutable_data<double>();
  for (int64_t i = 0; i < a.size(); ++i)
    out[i] = b.data<float>()[reference::stretched(shapes.b, reference::index_of(shapes.a, i))];
  const Tensor a_64 = a.to(DType::float64), w_64 = w.to(DType::float64);

  const Tensor here_a = a.to(device), here_b = b.to(device), here_w = w.to(device);
  const Gradient gradient = gradients_of(c, here_a, here_b, here_w);
  const Gradient turned = gradients_of(c, here_b, here_a, here_w);
  REQUIRE(gradient.b.device() == device);
  const Gradient exact = gradients_of(c, a_64, b_written_out, w_64);
  CHECK(reference::worst_error(gradient.a, exact.a.to_vector<double>()) <= kElementTolerance);
  CHECK(reference::worst_error(gradient.b, reference::sum_to(exact.b, shapes.b)) <= kSumTolerance);
  const Gradient exact_turned = gradients_of(c, b_written_out, a_64, w_64);
  CHECK(reference::worst_error(turned.a, reference::sum_to(exact_turned.a, shapes.b)) <=
        kSumTolerance);
  CHECK(reference::worst_error(turned.b, exact_turned.b.to_vector<double>()) <= kElementTolerance);
}

}  // namespace

DEVICE_TEST_CASE("arithmetic has the values of IEEE arithmetic on stretched operands") {
  Rng rng(1);
  const Shape results[] = {{},
                           {7},
                           {7},
                           {2, 3},
                           {0},
                           {3, 0, 2},
                           {0, 5},
                           {3, 5},
                           {3, 5},
                           {1, 5},
                           {3, 5},
                           {3, 4},
                           {2, 3, 4, 5},
                           {2, 3, 4, 5},
                           {2, 3, 4, 5},
                           {2, 4, 3, 5, 2},
                           {2, 2, 2, 2, 2, 2, 2, 2}};
  for (const Case& c : kCases) {
    for (size_t i = 0; i < std::size(kShapes); ++i)
      check_values(device, c, rng, kShapes[i].a, kShapes[i].b, results[i]);
    check_values(device, c, rng, {40001}, {40001}, {40001});  // several blocks, odd tails
    check_values(device, c, rng, {3, 7001}, {7001}, {3, 7001});
    check_values(device, c, rng, {7001, 3}, {7001, 1}, {7001, 3});
    check_values(device, c, rng, {3, 7, 31, 33}, {7, 1, 1}, {3, 7, 31, 33});
    check_values(device, c, rng, {}, {33000}, {33000});
  }
}

DEVICE_TEST_CASE("arithmetic on random shapes") {
  Rng rng(2);
  for (int round = 0; round < (device == Device::cpu ? 200 : 60); ++round) {
    const Shape shape = reference::random_shape(rng);
    const Shape squeezed = reference::random_squeezed(rng, shape);
    const Case& c = kCases[round % std::size(kCases)];
    if (round % 2)
      check_values(device, c, rng, shape, squeezed, shape);
    else
      check_values(device, c, rng, squeezed, shape, shape);
  }
}

DEVICE_TEST_CASE("arithmetic has the gradients of central differences") {
  Rng rng(3);
  const bool on_cpu = device == Device::cpu;
  for (const Case& c : kCases) {
    auto agree = [&](const Shape& a, const Shape& b) {
      const auto report = gradcheck([&](const auto& in) { return c.op(in[0], in[1]); },
                                    {random_operand(rng, a, DType::float64).to(device),
                                     random_operand(rng, b, DType::float64).to(device)},
                                    {.max_elements = on_cpu ? 512 : 2});
      CHECK_MESSAGE(report.ok, c.name, " ", to_string(a), ", ", to_string(b), ": ", report.message);
    };
    for (const ShapePair& shapes : kShapes) agree(shapes.a, shapes.b);
    for (int round = 0; round < (on_cpu ? 10 : 1); ++round) {
      const Shape shape = reference::random_shape(rng);
      agree(reference::random_squeezed(rng, shape), shape);
    }
  }
}

DEVICE_TEST_CASE("arithmetic on a tensor and itself, and on a constant") {
  Rng rng(4);
  const Tensor x = random_operand(rng, {3, 2}, DType::float64).to(device);
  const Tensor constant = random_operand(rng, {2}, DType::float64).to(device);
  for (const Case& c : kCases) {
    const bool has_kink = c.op == minimum || c.op == maximum;
    if (!has_kink) CHECK(gradcheck([&](const auto& in) { return c.op(in[0], in[0]); }, {x}).ok);
    CHECK(gradcheck([&](const auto& in) { return c.op(in[0], constant); }, {x}).ok);
    CHECK(gradcheck([&](const auto& in) { return c.op(constant, in[0]); }, {x}).ok);
  }
}

DEVICE_TEST_CASE("gradients of stretched operands are right in float32") {
  Rng rng(5);
  for (const ShapePair& shapes : layouts_of_sums(device))
    for (const Case& c : kCases) check_gradients(c, shapes, device, rng);
}

DEVICE_TEST_CASE("gradients of stretched operands have the same bits, whoever computes them") {
  Rng rng(7);
  const int threads = num_threads();
  // In float64: rounding to float32 would hide another order of summation.
  for (const ShapePair& shapes : layouts_of_sums(device)) {
    const Tensor a = random_operand(rng, shapes.a, DType::float64).to(device);
    const Tensor b = random_operand(rng, shapes.b, DType::float64).to(device);
    const Tensor w = rng.uniform(shapes.a, -1, 1, DType::float64).to(device);
    for (const Case& c : kCases) {
      CAPTURE(c.name);
      CAPTURE(to_string(shapes.a));
      set_num_threads(1);
      const Gradient one = gradients_of(c, a, b, w);
      set_num_threads(2);
      const Gradient two = gradients_of(c, a, b, w);
      set_num_threads(threads);
      CHECK(one.a.to_vector<double>() == two.a.to_vector<double>());
      CHECK(one.b.to_vector<double>() == two.b.to_vector<double>());
    }
  }
}

DEVICE_TEST_CASE("arithmetic takes views that begin anywhere") {
  Rng rng(8);
  const Tensor all_a = rng.uniform({1009}, 1, 2).to(device);
  const Tensor all_b = rng.uniform({1009}, 1, 2).to(device);
  for (const int64_t begin : {0, 1, 4})
    for (const int64_t other : {0, 3}) {
      const Tensor a = all_a.slice(begin, begin + 1003), b = all_b.slice(other, other + 1003);
      CHECK((a / b).to_vector<float>() == (a.clone() / b.clone()).to_vector<float>());
      const Tensor rows = a.slice(0, 1000).reshape({50, 20}), row = b.slice(0, 20);
      CHECK((rows - row).to_vector<float>() == (rows.clone() - row.clone()).to_vector<float>());
      const Tensor w = Tensor::ones({50, 20}, DType::float32, device);
      const Gradient view = gradients_of(kCases[2], rows, b.slice(0, 50).reshape({50, 1}), w);
      const Gradient copy =
          gradients_of(kCases[2], rows.clone(), b.slice(0, 50).reshape({50, 1}).clone(), w);
      CHECK(reference::worst_error(view.b, copy.b.to(DType::float64).to_vector<double>()) <= 6e-8);
    }
}

DEVICE_TEST_CASE("arithmetic of more elements than a grid has threads") {
  const Tensor all = Rng(9).integers({900'005}, 0, 1000).to(DType::float64);
  const double* values = all.data<double>();
  const Tensor there = all.to(device);
  for (const int64_t begin : {0, 1}) {
    const std::vector<double> doubled =
        (there.slice(begin, begin + 900'003) + there.slice(begin, begin + 900'003))
            .to_vector<double>();
    int64_t wrong = 0;
    for (size_t i = 0; i < doubled.size(); ++i) wrong += doubled[i] != 2 * values[begin + i];
    CHECK(wrong == 0);
  }
}

TEST_CASE("only what a gradient needs is saved") {
  Tensor x = Tensor::full({2}, 3).requires_grad_();
  Tensor constant = Tensor::full({2}, 5);
  {
    Tape tape;  // the gradient of x does not depend on x …
    const Tensor y = (x * constant)[0];
    {
      const NoGrad no_grad;
      x.fill_(4);
    }
    tape.backward(y);
    CHECK(x.grad().to_vector<float>() == std::vector<float>{5, 0});
  }
  {
    Tape tape;  // … but on the constant
    const Tensor y = (x * constant)[0];
    constant.fill_(6);
    CHECK_THROWS_WITH_AS(tape.backward(y),
                         "backward of mul: a tensor of shape [2] that it needs was changed in "
                         "place: it was saved at version 1 and is now at version 2",
                         Error);
  }
  Tape tape;
  const Tensor y = (x + constant)[0];
  constant.fill_(7);
  tape.backward(y);
  CHECK(x.grad().to_vector<float>() == std::vector<float>{1, 0});
}

DEVICE_TEST_CASE("minimum and maximum: NaN wins, ties go to the first") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Tensor a = Tensor::from<double>({nan, 1, 2, -1}, {4}).to(device);
  Tensor b = Tensor::from<double>({1, nan, 2, 0}, {4}).to(device);
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor w = Tensor::from<double>({1, 2, 3, inf}, {4}).to(device);
  for (const Case& c : {Case{"minimum", minimum, nullptr}, Case{"maximum", maximum, nullptr}}) {
    CAPTURE(c.name);
    const Tensor y = c.op(a, b);
    CHECK(std::isnan(y.at({0})));
    CHECK(std::isnan(y.at({1})));
    CHECK(y.at({2}) == 2);
    CHECK(y.at({3}) == (c.op == minimum ? -1 : 0));
    const Gradient gradient = gradients_of(c, a, b, w);
    const double of_a = c.op == minimum ? inf : 0, of_b = c.op == minimum ? 0 : inf;
    CHECK(gradient.a.to_vector<double>() == std::vector<double>{1, 0, 3, of_a});
    CHECK(gradient.b.to_vector<double>() == std::vector<double>{0, 2, 0, of_b});
  }
}

DEVICE_TEST_CASE("div keeps its gradient where the divisor's square overflows") {
  auto full = [&](double value) { return Tensor::full({1}, value, DType::float32, device); };
  const Tensor a = full(1e30), b = full(1e25), w = full(1);
  const Gradient gradient = gradients_of({"div", div, nullptr}, a, b, w);
  CHECK(std::abs(gradient.b.item() + 1e-20) <= 1e-26);
}

DEVICE_TEST_CASE("operators take numbers on either side") {
  const Tensor x = Tensor::from<float>({1, 2, 4}, {3}).to(device);
  auto values = [](const Tensor& y) { return y.to_vector<float>(); };
  CHECK(values(x + x) == std::vector<float>{2, 4, 8});
  CHECK(values(x - x) == std::vector<float>{0, 0, 0});
  CHECK(values(x * x) == std::vector<float>{1, 4, 16});
  CHECK(values(x / x) == std::vector<float>{1, 1, 1});
  CHECK(values(x + 1) == std::vector<float>{2, 3, 5});
  CHECK(values(x - 1) == std::vector<float>{0, 1, 3});
  CHECK(values(x * 0.5) == std::vector<float>{0.5, 1, 2});
  CHECK(values(x / 2) == std::vector<float>{0.5, 1, 2});
  CHECK(values(1 + x) == std::vector<float>{2, 3, 5});
  CHECK(values(1 - x) == std::vector<float>{0, -1, -3});
  CHECK(values(3 * x) == std::vector<float>{3, 6, 12});
  CHECK(values(8 / x) == std::vector<float>{8, 4, 2});
  CHECK(values(-x) == std::vector<float>{-1, -2, -4});
  CHECK(((x + 0.1).dtype() == DType::float32));
  CHECK((x.to(DType::float64) + 0.1).at({0}) == 1.1);

  Rng rng(6);
  const Tensor z = random_operand(rng, {2, 3}, DType::float64).to(device);
  const auto report =
      gradcheck([](const auto& in) { return -((2 - in[0]) * 3 + 1 / in[0] - in[0] / 4); }, {z});
  CHECK_MESSAGE(report.ok, report.message);
}

DEVICE_TEST_CASE("int32 arithmetic wraps around") {
  const int32_t top = std::numeric_limits<int32_t>::max(), bottom = -top - 1;
  const Tensor x = Tensor::from<int32_t>({top, bottom, 3}, {3}).to(device);
  CHECK((x + 1).to_vector<int32_t>() == std::vector<int32_t>{bottom, bottom + 1, 4});
  CHECK((x - 1).to_vector<int32_t>() == std::vector<int32_t>{top - 1, top, 2});
  CHECK((x * x).to_vector<int32_t>() == std::vector<int32_t>{1, 0, 9});
  CHECK((-x).to_vector<int32_t>() == std::vector<int32_t>{-top, bottom, -3});
  CHECK(minimum(x, Tensor::scalar(2, DType::int32).to(device)).to_vector<int32_t>() ==
        std::vector<int32_t>{2, bottom, 2});
  CHECK(maximum(x, Tensor::scalar(2, DType::int32).to(device)).to_vector<int32_t>() ==
        std::vector<int32_t>{top, 2, 3});
}

DEVICE_TEST_CASE("masks are multiplied with, and bytes saturate") {
  using Bytes = std::vector<uint8_t>;
  for (const DType dtype : {DType::float32, DType::float64}) {
    Tensor x = Tensor::from<double>({-2, 0, 0.5, 3}, {4}).to(dtype).to(device).requires_grad_();
    Tape tape;
    const Tensor y = x * (x > 0) + (x <= 0) * 7 + sum(x * 2 * less(x, 1));
    CHECK(y.dtype() == dtype);
    CHECK(y.to(DType::float64).to_vector<double>() == std::vector<double>{4, 4, -2.5, 0});
    tape.backward(sum(y));
    CHECK(x.grad().to(DType::float64).to_vector<double>() == std::vector<double>{8, 8, 9, 1});
    CHECK(((x > 0) * (x < 1)).to_vector<uint8_t>() == Bytes{0, 0, 1, 0});
    CHECK((1 - (x > 0)).to_vector<uint8_t>() == Bytes{1, 1, 0, 0});
  }
  const Tensor pixels = Tensor::from<uint8_t>({0, 100, 255}, {3}).to(device);
  CHECK((pixels + pixels).to_vector<uint8_t>() == Bytes{0, 200, 255});
  CHECK((pixels - 100).to_vector<uint8_t>() == Bytes{0, 0, 155});
  CHECK((pixels * pixels).to_vector<uint8_t>() == Bytes{0, 255, 255});
  CHECK(maximum(pixels, equal(pixels, 0)).to_vector<uint8_t>() == Bytes{1, 100, 255});
  CHECK((pixels * Tensor::scalar(-300, DType::int32).to(device)).to_vector<int32_t>() ==
        std::vector<int32_t>{0, -30000, -76500});
  CHECK((pixels / Tensor::scalar(255).to(device)).at({2}) == 1);
}

TEST_CASE("arithmetic refuses what it cannot do") {
  const Tensor x = Tensor::ones({2, 3}), labels = Tensor::arange(3);
  CHECK_THROWS_WITH_AS(x + Tensor::ones({2}), "add: shapes [2, 3] and [2] do not broadcast", Error);
  CHECK_THROWS_WITH_AS(Tensor::ones({0}) * Tensor::ones({2}),
                       "mul: shapes [0] and [2] do not broadcast", Error);
  CHECK_THROWS_WITH_AS(x - labels, "sub: expected one dtype, got a float32 [2, 3] and b int32 [3]",
                       Error);
  CHECK_THROWS_WITH_AS(labels / labels, "div: expected float32 or float64, got int32", Error);
  const Tensor pixels = Tensor::zeros({2}, DType::uint8);
  CHECK_THROWS_WITH_AS(pixels / pixels, "div: expected float32 or float64, got uint8", Error);
  CHECK_THROWS_WITH_AS(
      labels + 0.5, "add: expected a whole number from -2147483648 to 2147483647, got 0.5", Error);
  CHECK_THROWS_WITH_AS(labels * 3e9,
                       "mul: expected a whole number from -2147483648 to 2147483647, got 3e+09",
                       Error);
  CHECK_THROWS_WITH_AS(pixels - 256, "sub: expected a whole number from 0 to 255, got 256", Error);
  CHECK_THROWS_WITH_AS(x + Tensor(), "add: b is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(pixels + Tensor(), "add: b is undefined; assign a tensor to it first",
                       Error);
  CHECK_THROWS_WITH_AS(Tensor() * 2,
                       "mul: the tensor beside a number is undefined; assign a tensor to it first",
                       Error);
}

TEST_CASE("operands on two devices are refused [cuda]") {
  const Tensor here = Tensor::ones({2}), there = here.to(Device::cuda);
  CHECK_THROWS_WITH_AS(here + there, "add: expected one device, got a on cpu and b on cuda", Error);
}
