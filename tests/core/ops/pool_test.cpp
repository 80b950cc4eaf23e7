#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/ops/pool.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

struct Geometry {
  Shape shape;
  Size2 kernel, stride, padding;
};

const Geometry kGeometries[] = {
    {{2, 3, 6, 8}, 2, 2, 0},
    {{1, 1, 2, 2}, 2, 2, 0},
    {{2, 2, 7, 5}, 2, 2, 0},
    {{1, 2, 7, 9}, 3, 2, 1},
    {{2, 1, 5, 6}, {3, 2}, {1, 2}, {1, 0}},
    {{1, 3, 4, 4}, 1, 1, 0},
    {{0, 3, 4, 4}, 2, 2, 0},
    {{2, 0, 4, 4}, 2, 2, 0},
    {{3, 2, 6, 6}, 3, 4, 0},
    {{1, 1, 5, 11}, {2, 9}, 1, {1, 4}},
};

/// Too large for central differences; cut into parts, some of them, by the CPU.
const Geometry kLargeGeometries[] = {
    {{1, 2, 90, 150}, 3, 2, 1},          {{2, 1, 61, 147}, {3, 2}, {2, 3}, {1, 1}},
    {{1, 1, 9, 2060}, 2, 2, 0},          {{1, 1, 130, 70}, 3, 1, 1},
    {{1, 3, 43, 44}, {3, 5}, 3, {0, 2}}, {{1, 2, 41, 50}, {4, 3}, {4, 3}, 0},
    {{3, 5, 17, 19}, {17, 19}, 1, 0},
};

/// Calls f(element of y, elements of x inside its window) for one image plane after another.
template <class F>
void for_each_window(const Geometry& g, const Tensor& y, F&& f) {
  const int64_t h = g.shape[2], w = g.shape[3];
  int64_t at = 0;
  for (int64_t plane = 0; plane < g.shape[0] * g.shape[1]; ++plane)
    for (int64_t i = 0; i < y.extent(2); ++i)
      for (int64_t j = 0; j < y.extent(3); ++j) {
        std::vector<int64_t> inside;
        for (int64_t a = 0; a < g.kernel.h; ++a)
          for (int64_t b = 0; b < g.kernel.w; ++b) {
            const int64_t row = i * g.stride.h + a - g.padding.h;
            const int64_t column = j * g.stride.w + b - g.padding.w;
            if (row >= 0 && row < h && column >= 0 && column < w)
              inside.push_back((plane * h + row) * w + column);
          }
        f(at++, inside);
      }
}

/// Distinct values, far enough apart that a small step changes no order.
Tensor distinct(const Shape& shape, uint64_t seed) {
  Tensor x = Tensor::empty(shape, DType::float64);
  double* values = x.mutable_data<double>();
  for (int64_t order : Rng(seed).permutation(x.size()))
    *values++ = 0.1 * static_cast<double>(order) - 1;
  return x;
}

}  // namespace

DEVICE_TEST_CASE("pools take the largest and the mean of each window") {
  std::vector<Geometry> geometries(std::begin(kGeometries), std::end(kGeometries));
  geometries.insert(geometries.end(), std::begin(kLargeGeometries), std::end(kLargeGeometries));
  for (const Geometry& g : geometries) {
    CAPTURE(to_string(g.shape));
    const Tensor x = distinct(g.shape, 1).to(device);
    const std::vector<double> values = x.to_vector<double>();
    const std::vector<double> largest =
        max_pool2d(x, g.kernel, g.stride, g.padding).to_vector<double>();
    const Tensor y = avg_pool2d(x, g.kernel, g.stride, g.padding);
    const std::vector<double> mean = y.to_vector<double>();
    const std::vector<double> mean_inside =
        avg_pool2d(x, g.kernel, g.stride, g.padding, false).to_vector<double>();
    int wrong = 0;
    for_each_window(g, y, [&](int64_t i, const std::vector<int64_t>& inside) {
      double best = -std::numeric_limits<double>::infinity(), total = 0;
      for (int64_t k : inside) best = std::max(best, values[k]), total += values[k];
      wrong += largest[i] != best;
      wrong += !(std::abs(mean[i] - total / static_cast<double>(g.kernel.area())) <= 1e-12);
      wrong += !(std::abs(mean_inside[i] - total / static_cast<double>(inside.size())) <= 1e-12);
    });
    CHECK(wrong == 0);
  }
}

DEVICE_TEST_CASE("pools have the gradients of central differences") {
  for (const Geometry& g : kGeometries) {
    CAPTURE(to_string(g.shape));
    const Tensor x = distinct(g.shape, 2).to(device);
    for (const bool count_padding : {true, false}) {
      const auto mean = gradcheck(
          [&](const auto& in) {
            return avg_pool2d(in[0], g.kernel, g.stride, g.padding, count_padding);
          },
          {x});
      CHECK_MESSAGE(mean.ok, mean.message);
    }
    const auto largest = gradcheck(
        [&](const auto& in) { return max_pool2d(in[0], g.kernel, g.stride, g.padding); }, {x});
    CHECK_MESSAGE(largest.ok, largest.message);
  }
  const auto global = gradcheck([](const auto& in) { return global_avg_pool2d(in[0]); },
                                {distinct({2, 3, 4, 5}, 3).to(device)});
  CHECK_MESSAGE(global.ok, global.message);
}

DEVICE_TEST_CASE("pools give each window's gradient to its largest, or to all alike") {
  for (const Geometry& g : kLargeGeometries) {
    CAPTURE(to_string(g.shape));
    const Tensor values = distinct(g.shape, 4).to(device);
    const std::vector<double> order = values.to_vector<double>();
    for (const bool largest : {true, false}) {
      Tensor x = values.clone().requires_grad_();
      Tape tape;
      const Tensor y = largest ? max_pool2d(x, g.kernel, g.stride, g.padding)
                               : avg_pool2d(x, g.kernel, g.stride, g.padding, false);
      const Tensor dy = Rng(5).normal(y.shape(), 0, 1, DType::float64);
      Tensor total = Tensor::scalar(0, DType::float64);
      record("total", {&y}, total, {},
             [&](Gradients& gradients) { gradients.set(0, dy.to(device)); });
      tape.backward(total);
      const std::vector<double> dys = dy.to_vector<double>();
      std::vector<double> expected(x.size());
      for_each_window(g, y, [&](int64_t i, const std::vector<int64_t>& inside) {
        if (largest)
          expected[*std::max_element(inside.begin(), inside.end(), [&](int64_t a, int64_t b) {
            return order[a] < order[b];
          })] += dys[i];
        else
          for (int64_t k : inside) expected[k] += dys[i] / static_cast<double>(inside.size());
      });
      const std::vector<double> gradient = x.grad().to_vector<double>();
      int wrong = 0;
      for (size_t k = 0; k < expected.size(); ++k)
        wrong += !(std::abs(gradient[k] - expected[k]) <= 1e-12);
      CHECK(wrong == 0);
    }
  }
}

DEVICE_TEST_CASE("where values are equal the first gets the gradient, and NaN wins") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Size2 kernel : {Size2(2), Size2(2, 4)}) {
    Tensor x =
        Tensor::from<double>({1, 5, 5, 0, 5, 5, 1, 7}, {1, 1, 2, 4}).to(device).requires_grad_();
    Tape tape;
    const Tensor y = max_pool2d(x, kernel);
    tape.backward(y.reshape({-1}).slice(0, 1).reshape(Shape{}));
    CHECK(y.at({0, 0, 0, 0}) == (kernel.w == 2 ? 5 : 7));
    CHECK(x.grad().at({0, 0, 0, 1}) == (kernel.w == 2 ? 1 : 0));
    CHECK(x.grad().at({0, 0, 1, 0}) == 0);
  }
  for (const int64_t place : {0, 1, 2, 3}) {
    std::vector<double> values(4, 1);
    values[place] = nan;
    const Tensor x = Tensor::from(values, {1, 1, 2, 2}).to(device);
    CHECK(std::isnan(max_pool2d(x, 2).item()));
    CHECK(std::isnan(max_pool2d(x, 2, 1).item()));
  }
  const double low = -std::numeric_limits<double>::infinity();
  CHECK(max_pool2d(Tensor::full({1, 1, 2, 2}, low, DType::float32, device), 2, 2, 1)
            .at({0, 0, 0, 0}) == low);
}

TEST_CASE("of equal values, and of NaNs, the first in reading order wins everywhere") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float low = -std::numeric_limits<float>::infinity();
  const float choices[] = {low, low, 0, 1, 1, nan};
  for (const Geometry& g : {Geometry{{3, 2, 30, 41}, 3, 2, 1}, Geometry{{3, 2, 30, 41}, 2, 2, 0},
                            Geometry{{3, 2, 30, 41}, {3, 4}, {1, 3}, {1, 2}}}) {
    std::vector<float> values;
    for (int32_t choice : Rng(7).integers(g.shape, 0, 6).to_vector<int32_t>())
      values.push_back(choices[choice]);
    Tensor x = Tensor::from(values, g.shape).requires_grad_();
    Tape tape;
    const Tensor y = max_pool2d(x, g.kernel, g.stride, g.padding);
    const std::vector<float> taken = y.to_vector<float>();
    tape.backward(sum(y));
    std::vector<float> expected(values.size());
    int wrong = 0;
    for_each_window(g, y, [&](int64_t i, const std::vector<int64_t>& inside) {
      int64_t best = inside[0];
      for (int64_t k : inside)
        if (values[k] > values[best] || (std::isnan(values[k]) && !std::isnan(values[best])))
          best = k;
      wrong += std::isnan(values[best]) ? !std::isnan(taken[i]) : taken[i] != values[best];
      ++expected[best];
    });
    CHECK(wrong == 0);
    CHECK(x.grad().to_vector<float>() == expected);
  }
}

DEVICE_TEST_CASE("global average: one number a channel") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 9}, {1, 2, 2, 2}).to(device);
  const Tensor y = global_avg_pool2d(x);
  CHECK(y.shape() == Shape{1, 2, 1, 1});
  CHECK(y.to_vector<float>() == std::vector<float>{2.5, 6.75});
}

DEVICE_TEST_CASE("pools of float32 images have the CPU's bits on every device") {
  const Tensor images = Rng(6).normal({3, 2, 19, 21}, 0, 1);
  const auto results = [&](Device where) {
    std::vector<std::vector<float>> all;
    for (const Geometry& g : {Geometry{{}, 3, 2, 1}, Geometry{{}, {2, 9}, 1, 0}}) {
      for (const bool largest : {true, false}) {
        Tensor x = images.to(where).clone().requires_grad_();
        Tape tape;
        const Tensor y = largest ? max_pool2d(x, g.kernel, g.stride, g.padding)
                                 : avg_pool2d(x, g.kernel, g.stride, g.padding);
        Tensor total = Tensor::scalar(0);
        record("total", {&y}, total, {}, [&](Gradients& gradients) {
          gradients.set(0, Rng(5).normal(y.shape(), 0, 1).to(where));
        });
        tape.backward(total);
        // A warp adds up a window in another order.
        if (largest || g.kernel.w < 8) all.push_back(y.to_vector<float>());
        all.push_back(x.grad().to_vector<float>());
      }
    }
    return all;
  };
  CHECK(results(device) == results(Device::cpu));
}

TEST_CASE("one thread and two give the same bits") {
  const int threads = num_threads();
  std::vector<std::vector<float>> results;
  for (const int count : {1, 2}) {
    set_num_threads(count);
    Tensor x = Rng(4).normal({9, 7, 31, 33}, 0, 1).requires_grad_();
    Tape tape;
    const Tensor y = max_pool2d(avg_pool2d(x, 3, 1), 2);
    Tensor total = Tensor::scalar(0);
    record("total", {&y}, total, {},
           [&](Gradients& gradients) { gradients.set(0, Rng(5).normal(y.shape(), 0, 1)); });
    tape.backward(total);
    results.push_back(y.to_vector<float>());
    results.push_back(x.grad().to_vector<float>());
  }
  set_num_threads(threads);
  CHECK(results[0] == results[2]);
  CHECK(results[1] == results[3]);
}

TEST_CASE("pools refuse windows that do not fit") {
  const Tensor x = Tensor::ones({1, 1, 3, 3});
  CHECK_THROWS_WITH_AS(max_pool2d(Tensor::ones({3, 3}), 2),
                       "max_pool2d: expected [N, C, H, W], got [3, 3]", Error);
  CHECK_THROWS_WITH_AS(max_pool2d(x, 4), doctest::Contains("max_pool2d: a window of 4×4 pixels"),
                       Error);
  CHECK_THROWS_WITH_AS(avg_pool2d(x, 2, 2, 2), doctest::Contains("at most half the kernel 2×2"),
                       Error);
  CHECK_THROWS_AS(avg_pool2d(x, 2, 0), Error);
  CHECK_THROWS_WITH_AS(max_pool2d(Tensor::ones({1, 1, 0, 3}), 2, 2, 1),
                       doctest::Contains("nothing to pool"), Error);
  CHECK_THROWS_AS(max_pool2d(Tensor::arange(4).reshape({1, 1, 2, 2}), 2), Error);
  CHECK_THROWS_AS(global_avg_pool2d(Tensor::ones({1, 1, 0, 3})), Error);
}
