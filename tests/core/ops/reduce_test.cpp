#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/core/ops/index_reference.h"
#include "tests/devices.h"

using namespace pade;

namespace {

using Axes = std::vector<int>;

std::vector<Axes> all_subsets(int rank) {
  std::vector<Axes> subsets;
  for (int mask = 0; mask < 1 << rank; ++mask) {
    subsets.emplace_back();
    for (int axis = 0; axis < rank; ++axis)
      if (mask >> axis & 1) subsets.back().push_back(axis);
  }
  return subsets;
}

Shape kept_shape(Shape shape, const Axes& axes) {
  for (const int axis : axes) shape = shape.with(axis, 1);
  return shape;
}

Shape without(const Shape& shape, const Axes& axes) {
  std::vector<int64_t> extents;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) extents.push_back(shape[axis]);
  return Shape(std::span<const int64_t>(extents));
}

/// The first maximal element of each result, by its index along the only reduced axis.
struct Maxima {
  std::vector<double> values, indices;
};
Maxima maxima_of(const Tensor& x, const Axes& axes) {
  const Shape kept = kept_shape(x.shape(), axes);
  const auto values = x.to(DType::float64).to_vector<double>();
  Maxima maxima{std::vector<double>(kept.size()), std::vector<double>(kept.size(), -1)};
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto index = reference::index_of(x.shape(), i);
    const int64_t result = reference::stretched(kept, index);
    double& best = maxima.values[result];
    const bool is_first = maxima.indices[result] < 0;
    if (!is_first && (std::isnan(best) || (values[i] <= best))) continue;
    best = values[i];
    maxima.indices[result] = axes.size() == 1 ? static_cast<double>(index.along[axes[0]]) : 0;
  }
  return maxima;
}

struct Layout {
  Shape shape;
  Axes axes;
};

/// Over what is innermost or not, of few or many elements, in all ways in which the work is cut.
std::vector<Layout> layouts(Device device) {
  if (device == Device::cpu)
    return {{{50003}, {0}},                // all elements
            {{20001, 3}, {1}},             // short runs
            {{3, 20001}, {1}},             // long runs
            {{5, 6, 30, 71}, {2, 3}},      // last axes
            {{3000, 17}, {0}},             // first axis, narrow
            {{50, 2001}, {0}},             // first axis, wide
            {{2, 30001}, {0}},             // few rows
            {{12, 3, 40, 41}, {0, 2, 3}},  // channels of images
            {{300, 7, 2, 2}, {0, 2, 3}},   // channels of tiny images
            {{12, 30, 17, 9}, {1}},        // over channels
            {{4001, 3, 5}, {1}},           // many small tables
            {{3, 40, 5, 10, 7}, {1, 3}},
            {{3, 40, 5, 10, 7}, {0, 2, 4}},
            {{1000, 5, 9}, {0, 1}}};
  return {{{10003}, {0}},               // all elements, one by one …
          {{10004}, {0}},               // … and four by four
          {{1001, 3}, {1}},             // a thread per result
          {{301, 10}, {1}},             // a few lanes per result
          {{30, 300}, {1}},             // a warp per result
          {{3, 5001}, {1}},             // blocks per result
          {{2, 3, 30, 40}, {2, 3}},     // last axes
          {{1500, 3}, {0}},             // first axis, narrow
          {{50, 201}, {0}},             // first axis, wide
          {{2, 3001}, {0}},             // few rows
          {{6, 3, 20, 21}, {0, 2, 3}},  // channels of images
          {{100, 7, 2, 2}, {0, 2, 3}},  // channels of tiny images
          {{3, 30, 7, 9}, {1}},         // over channels
          {{401, 3, 5}, {1}},           // many small tables
          {{3, 10, 5, 6, 7}, {1, 3}},
          {{3, 10, 5, 6, 7}, {0, 2, 4}},
          {{100, 5, 9}, {0, 1}}};
}

/// The gradient of Σ op(x) · w.
Tensor gradient_of(const std::function<Tensor(const Tensor&)>& op, const Tensor& x,
                   const Tensor& w) {
  const Tensor leaf = x.detach().requires_grad_();
  Tape tape;
  tape.backward(sum(op(leaf) * w));
  return leaf.grad();
}

const double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

DEVICE_TEST_CASE("reductions agree with plain loops over every set of axes") {
  Rng rng(1);
  for (int round = 0; round < (device == Device::cpu ? 40 : 5); ++round) {
    const Shape shape = reference::random_shape(rng);
    for (const Axes& axes : all_subsets(shape.rank()))
      for (const bool keepdim : {false, true})
        for (const DType dtype : {DType::float32, DType::float64}) {
          // Sums are exact, maxima tie.
          const Tensor x = rng.integers(shape, -3, 4).to(dtype), there = x.to(device);
          const Shape kept = kept_shape(shape, axes);
          const Shape result = keepdim ? kept : without(shape, axes);
          CAPTURE(to_string(shape));
          CAPTURE(to_string(result));
          Axes given = axes;  // in any order, counted from either end
          std::reverse(given.begin(), given.end());
          if (!given.empty()) given[0] -= shape.rank();

          auto expected = reference::sum_to(x, kept);
          const Tensor total = sum(there, given, keepdim);
          REQUIRE(total.device() == device);
          REQUIRE(total.dtype() == dtype);
          REQUIRE(total.shape() == result);
          CHECK(reference::worst_error(total, expected) == 0);

          double length = 1;
          for (const int axis : axes) length *= static_cast<double>(shape[axis]);
          for (double& value : expected) value /= length;
          const Tensor average = mean(there, given, keepdim);
          REQUIRE(average.shape() == result);
          CHECK(reference::worst_error(average, expected) <=
                (dtype == DType::float32 ? 6e-8 : 0.0));

          if (length == 0) {
            CHECK_THROWS_AS(max(there, given, keepdim), Error);
            continue;
          }
          const Tensor largest = max(there, given, keepdim);
          REQUIRE(largest.shape() == result);
          CHECK(reference::worst_error(largest, maxima_of(x, axes).values) == 0);
        }
  }
}

DEVICE_TEST_CASE("reductions of typical layouts, in float32, with the same bits each time") {
  Rng rng(2);
  const int threads = num_threads();
  for (const auto& [shape, axes] : layouts(device)) {
    CAPTURE(to_string(shape));
    const Shape kept = kept_shape(shape, axes);
    const Tensor x = rng.uniform(shape, -1, 2).to(device), x_64 = x.to(DType::float64);
    // Compared in float64: rounding to float32 would hide another order of summation.
    set_num_threads(1);
    const Tensor total_64 = sum(x_64, axes), largest_64 = max(x_64, axes);
    set_num_threads(2);
    CHECK(sum(x_64, axes).to_vector<double>() == total_64.to_vector<double>());
    CHECK(max(x_64, axes).to_vector<double>() == largest_64.to_vector<double>());
    set_num_threads(threads);
    const Tensor total = sum(x, axes), largest = max(x, axes);
    // Summed in float64, so that only the result is rounded.
    CHECK(reference::worst_error(total, reference::sum_to(x, kept)) <= 6e-8);
    CHECK(reference::worst_error(largest, maxima_of(x, axes).values) == 0);
    CHECK(reference::worst_error(total_64, reference::sum_to(x_64, kept)) <= 1e-13);
  }
}

DEVICE_TEST_CASE("gradients of typical layouts") {
  Rng rng(3);
  for (const auto& layout : layouts(device)) {
    const auto& [shape, axes] = layout;
    CAPTURE(to_string(shape));
    const Shape kept = kept_shape(shape, axes);
    const Tensor x = rng.uniform(shape, -1, 2, DType::float64);
    const Tensor w = rng.uniform(kept, -1, 1, DType::float64);
    const double length = static_cast<double>(shape.size()) / static_cast<double>(kept.size());
    const auto largest = maxima_of(x, axes).values;
    std::vector<double> of_sum(shape.size()), of_mean(shape.size()), of_max(shape.size());
    for (int64_t i = 0; i < shape.size(); ++i) {
      const int64_t result = reference::stretched(kept, reference::index_of(shape, i));
      of_sum[i] = w.data<double>()[result];
      of_mean[i] = of_sum[i] / length;
      of_max[i] = x.data<double>()[i] == largest[result] ? of_sum[i] : 0;
    }
    auto gradient = [&](Tensor (*op)(const Tensor&, const std::vector<int>&, bool)) {
      return gradient_of([&](const Tensor& leaf) { return op(leaf, layout.axes, true); },
                         x.to(device), w.to(device));
    };
    CHECK(reference::worst_error(gradient(sum), of_sum) == 0);
    CHECK(reference::worst_error(gradient(mean), of_mean) == 0);
    CHECK(reference::worst_error(gradient(max), of_max) == 0);
  }
}

DEVICE_TEST_CASE("reductions have the gradients of central differences") {
  Rng rng(4);
  const std::vector<Shape> shapes = device == Device::cpu
                                        ? std::vector<Shape>{{}, {1}, {7}, {3, 5}, {2, 3, 1, 4}}
                                        : std::vector<Shape>{{}, {3, 5}};
  for (const Shape& shape : shapes) {
    for (const Axes& axes : all_subsets(shape.rank()))
      for (const bool keepdim : {false, true}) {
        const std::function<Tensor(const Tensor&)> ops[] = {
            [&](const Tensor& x) { return sum(x, axes, keepdim); },
            [&](const Tensor& x) { return mean(x, axes, keepdim); },
            [&](const Tensor& x) { return max(x, axes, keepdim); }};
        for (const auto& op : ops) {
          const auto report = gradcheck([&](const auto& in) { return op(in[0]); },
                                        {rng.normal(shape, 0, 1, DType::float64).to(device)},
                                        {.max_elements = device == Device::cpu ? 512 : 2});
          CHECK_MESSAGE(report.ok, to_string(shape), ": ", report.message);
        }
      }
    for (const auto op :
         {static_cast<Tensor (*)(const Tensor&)>(sum), static_cast<Tensor (*)(const Tensor&)>(mean),
          static_cast<Tensor (*)(const Tensor&)>(max)})
      CHECK(gradcheck([&](const auto& in) { return op(in[0]); },
                      {rng.normal(shape, 0, 1, DType::float64).to(device)})
                .ok);
  }
}

DEVICE_TEST_CASE("whole tensors reduce to rank 0") {
  const Tensor x = Tensor::from<float>({1, 5, 3, -1}, {2, 2}).to(device);
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x).item() == 8);
  CHECK(mean(x).item() == 2);
  CHECK(max(x).item() == 5);
  CHECK(sum(x, {0}).to_vector<float>() == std::vector<float>{4, 4});
  CHECK(sum(x, {-1}, true).shape() == Shape{2, 1});
  CHECK(sum(x, {}).to_vector<float>() == x.to_vector<float>());
}

DEVICE_TEST_CASE("many equal terms add up without drifting") {
  const int64_t n = device == Device::cpu ? 3'000'000 : 1'100'003;
  const Tensor x = Tensor::full({n}, 0.1, DType::float32, device);
  const double exact = static_cast<double>(n) * static_cast<double>(0.1f);
  CHECK(sum(x).item() == static_cast<double>(static_cast<float>(exact)));
  CHECK(mean(x).item() == static_cast<double>(0.1f));
}

DEVICE_TEST_CASE("reductions over nothing") {
  const Tensor x = Tensor::zeros({3, 0}, DType::float32, device);
  CHECK(sum(x).item() == 0);
  CHECK(sum(x, {1}).to_vector<float>() == std::vector<float>{0, 0, 0});
  CHECK(sum(x, {0}).shape() == Shape{0});
  CHECK(std::isnan(mean(x).item()));
  CHECK(std::isnan(mean(x, {1}).at({2})));
  CHECK(max(x, {0}).shape() == Shape{0});
  CHECK(gradient_of([](const Tensor& leaf) { return sum(leaf, {1}); }, x,
                    Tensor::ones({3}).to(device))
            .shape() == x.shape());
  CHECK_THROWS_WITH_AS(max(x), "max: there are no elements over the empty axes of shape [3, 0]",
                       Error);
  CHECK_THROWS_WITH_AS(argmax(x, 1),
                       "argmax: there are no elements over the empty axes of shape [3, 0]", Error);
}

DEVICE_TEST_CASE("max gives its gradient to the first maximal element") {
  const Tensor x =
      Tensor::from<double>({1, 3, 3, 0, kNan, 5, kNan, 9, -kInf, -kInf, -kInf, -kInf}, {3, 4})
          .to(device);
  const Tensor y = max(x, {1});
  CHECK(y.at({0}) == 3);
  CHECK(std::isnan(y.at({1})));
  CHECK(y.at({2}) == -kInf);
  const Tensor dx = gradient_of([](const Tensor& leaf) { return max(leaf, {1}); }, x,
                                Tensor::from<double>({2, 3, 4}, {3}).to(device));
  CHECK(dx.to_vector<double>() == std::vector<double>{0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0});
}

DEVICE_TEST_CASE("NaN is found wherever it is") {
  const int64_t many = device == Device::cpu ? 40001 : 10001;
  for (const auto& [shape, axes] :
       {Layout{{many}, {0}}, Layout{{many - 1}, {0}}, Layout{{3, 41}, {1}}, Layout{{3, 600}, {1}},
        Layout{{41, 3}, {0}}, Layout{{many / 10, 7}, {0}}}) {
    const int64_t results = kept_shape(shape, axes).size();
    for (const int64_t position :
         {int64_t{0}, results * 5, shape.size() / 2, shape.size() * 3 / 4}) {
      CAPTURE(to_string(shape));
      CAPTURE(position);
      Tensor x = Tensor::ones(shape);
      float* values = x.mutable_data<float>();
      values[shape.size() / 3] = 7;
      values[position] = std::numeric_limits<float>::quiet_NaN();
      values[shape.size() - 1] = values[shape.size() * 2 / 3] = values[position];  // and again
      const Maxima expected = maxima_of(x, axes);
      const Tensor there = x.to(device);
      CHECK(reference::worst_error(max(there, axes), expected.values) == 0);
      CHECK(reference::worst_error(argmax(there, axes[0]), expected.indices) == 0);
    }
  }
}

DEVICE_TEST_CASE("argmax gives the first maximum, for every dtype") {
  Rng rng(5);
  for (const DType dtype : {DType::float32, DType::float64, DType::int32, DType::uint8}) {
    for (const auto& [shape, axes] : layouts(device)) {
      if (axes.size() != 1) continue;
      CAPTURE(name_of(dtype));
      CAPTURE(to_string(shape));
      const bool is_unsigned = dtype == DType::uint8;
      const Tensor x = rng.integers(shape, is_unsigned ? 0 : -20, 20).to(dtype);
      const Tensor there = x.to(device), index = argmax(there, axes[0]);
      REQUIRE(index.dtype() == DType::int32);
      REQUIRE(index.shape() == without(shape, axes));
      CHECK(reference::worst_error(index, maxima_of(x, axes).indices) == 0);
      CHECK(argmax(there, axes[0] - shape.rank(), true).shape() == kept_shape(shape, axes));
    }
  }
  const int32_t bottom = std::numeric_limits<int32_t>::min();
  CHECK(argmax(Tensor::from<int32_t>({bottom, bottom}, {2}).to(device), 0).item() == 0);
  CHECK(argmax(Tensor::from<int32_t>({bottom, bottom + 1}, {2}).to(device), 0).item() == 1);
  const Tensor leaf = Tensor::ones({3}).requires_grad_();
  const Tape tape;
  CHECK_FALSE(argmax(leaf, 0).requires_grad());
}

DEVICE_TEST_CASE("reductions take views that begin anywhere") {
  const Tensor all = Rng(6).uniform({4 * 1100 + 1}, -1, 2).to(device);
  for (const int64_t columns : {3, 8, 1100}) {
    CAPTURE(columns);
    const Tensor x = all.slice(1, 4 * columns + 1).reshape({4, columns}), copy = x.clone();
    for (const int axis : {0, 1}) {
      CHECK(reference::worst_error(
                sum(x, {axis}), sum(copy, {axis}).to(DType::float64).to_vector<double>()) <= 6e-8);
      CHECK(max(x, {axis}).to_vector<float>() == max(copy, {axis}).to_vector<float>());
      CHECK(argmax(x, axis).to_vector<int32_t>() == argmax(copy, axis).to_vector<int32_t>());
    }
  }
}

DEVICE_TEST_CASE("reductions with more results than a grid has threads or blocks") {
  Rng rng(7);
  for (const auto& [shape, axes] : {Layout{{280'001, 2}, {1}}, Layout{{6, 34'003}, {0}}}) {
    CAPTURE(to_string(shape));
    const Tensor x = rng.integers(shape, -3, 4).to(DType::float32);
    const Shape kept = kept_shape(shape, axes);
    CHECK(reference::worst_error(sum(x.to(device), axes), reference::sum_to(x, kept)) == 0);
    const Tensor dx =
        gradient_of([&, &axes = axes](const Tensor& leaf) { return max(leaf, axes, true); },
                    x.to(device), Tensor::ones(kept).to(device))
            .to(Device::cpu);
    CHECK(sum(dx).item() == static_cast<double>(kept.size()));
    CHECK(sum(dx * x).item() == sum(max(x, axes)).item());
  }
}

DEVICE_TEST_CASE("min: the smallest element, whose first place gets the gradient") {
  const Tensor x = Tensor::from<double>({3, -1, 2, -1, 5, 4, 4, 9}, {2, 4}).to(device);
  CHECK(min(x).item() == -1);
  CHECK(min(x, {0}).to_vector<double>() == std::vector<double>{3, -1, 2, -1});
  CHECK(min(x, {1}, true).shape() == Shape{2, 1});
  CHECK(min(x, {-1}).to_vector<double>() == std::vector<double>{-1, 4});
  CHECK(std::isnan(min(Tensor::from<double>({1, kNan, 0}, {3}).to(device)).item()));
  Tensor leaf = x.clone().requires_grad_();
  Tape tape;
  tape.backward(sum(min(leaf, {1})));
  CHECK(leaf.grad().to_vector<double>() == std::vector<double>{0, 1, 0, 0, 0, 1, 0, 0});
  CHECK_THROWS_WITH_AS(min(Tensor::ones({3, 0})),
                       "min: there are no elements over the empty axes of shape [3, 0]", Error);
  CHECK_THROWS_WITH_AS(min(Tensor::arange(3)), "min: expected float32 or float64, got int32",
                       Error);
}

TEST_CASE("reductions refuse what they cannot do") {
  const Tensor x = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(sum(x, {1, -1}), "sum: axis 1 of shape [2, 3] is listed twice", Error);
  CHECK_THROWS_WITH_AS(mean(x, {2}), "mean: axis 2 is out of range for shape [2, 3]", Error);
  CHECK_THROWS_WITH_AS(argmax(Tensor::scalar(1), 0), "argmax: axis 0 is out of range for shape []",
                       Error);
  CHECK_THROWS_WITH_AS(sum(Tensor::arange(3)), "sum: expected float32 or float64, got int32",
                       Error);
  CHECK_THROWS_WITH_AS(mean(Tensor::arange(3)), "mean: expected float32 or float64, got int32",
                       Error);
  CHECK_THROWS_WITH_AS(max(Tensor::arange(3)), "max: expected float32 or float64, got int32",
                       Error);
  CHECK_THROWS_WITH_AS(sum(Tensor()), "sum: x is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(argmax(Tensor(), 0), "argmax: x is undefined; assign a tensor to it first",
                       Error);
}
