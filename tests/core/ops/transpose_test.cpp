#include <doctest/doctest.h>

#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>

#include "tests/devices.h"

using namespace pade;

namespace {

struct Case {
  Shape shape;
  std::vector<int> axes;
};

const Case kCases[] = {
    {{}, {}},
    {{5}, {0}},
    {{0, 3}, {1, 0}},
    {{1, 1, 1}, {2, 0, 1}},
    {{3, 5}, {0, 1}},
    {{3, 5}, {1, 0}},
    {{100, 70}, {1, 0}},        // several tiles and odd tails
    {{3, 300}, {1, 0}},         // few rows …
    {{2, 1100, 2}, {0, 2, 1}},  // … or few columns
    {{7, 70}, {1, 0}},
    {{40, 9, 3}, {2, 1, 0}},       // too small for tiles
    {{2, 3, 4, 5}, {0, 2, 3, 1}},  // NCHW to NHWC
    {{2, 33, 17, 3}, {0, 3, 1, 2}},
    {{4, 3, 50}, {1, 0, 2}},  // whole runs move
    {{6, 5, 4, 3}, {3, 2, 1, 0}},
    {{6, 1, 4, 3}, {1, 3, 0, 2}},
    {{2, 3, 2, 3, 2, 1, 2, 2}, {7, 1, 6, 0, 5, 3, 2, 4}},
    {{2, 3, 4}, {-1, 0, -2}},
};

/// result[j] = x[i] where index k of j is index axes[k] of i.
template <class T>
std::vector<T> reference(const Tensor& x, const std::vector<int>& axes) {
  const Shape& shape = x.shape();
  const std::vector<T> values = x.to_vector<T>();
  std::vector<T> result(values.size());
  for (int64_t i = 0; i < x.size(); ++i) {
    std::vector<int64_t> index(shape.rank());
    int64_t rest = i;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    int64_t to = 0;
    for (int axis : axes) to = to * shape[axis] + index[shape.resolve_axis(axis)];
    result[to] = values[i];
  }
  return result;
}

template <class T>
void check_permute(Device device, const Case& c, DType dtype) {
  const Tensor x = Tensor::arange(c.shape.size(), DType::int32).to(dtype).reshape(c.shape);
  const Tensor y = permute(x.to(device), c.axes);
  CHECK(y.device() == device);
  CHECK(y.dtype() == dtype);
  for (size_t k = 0; k < c.axes.size(); ++k)
    CHECK(y.extent(static_cast<int>(k)) == c.shape[c.axes[k]]);
  CHECK_MESSAGE(y.to_vector<T>() == reference<T>(x, c.axes), to_string(c.shape));
}

}  // namespace

DEVICE_TEST_CASE("permute moves every element of every dtype to its place") {
  for (const Case& c : kCases) {
    check_permute<float>(device, c, DType::float32);
    check_permute<double>(device, c, DType::float64);
    check_permute<int32_t>(device, c, DType::int32);
    check_permute<uint8_t>(device, c, DType::uint8);
  }
  const Case large = {{3, 700, 129}, {0, 2, 1}};
  check_permute<int32_t>(device, large, DType::int32);
}

DEVICE_TEST_CASE("permute of more than a grid has threads and blocks") {
  check_permute<uint8_t>(device, {{1100, 1010}, {1, 0}}, DType::uint8);
  check_permute<uint8_t>(device, {{57000, 3, 5}, {0, 2, 1}}, DType::uint8);
}

DEVICE_TEST_CASE("permute takes views that begin anywhere") {
  const Tensor all = Tensor::arange(2 * 41 * 36 + 1).to(DType::float32).to(device);
  for (const int64_t begin : {0, 1})
    for (const std::vector<int>& axes : {std::vector{0, 2, 1}, std::vector{1, 0, 2}}) {
      const Tensor x = all.slice(begin, begin + 2 * 41 * 36).reshape({2, 41, 36});
      CHECK(permute(x, axes).to_vector<float>() == reference<float>(x, axes));
    }
}

DEVICE_TEST_CASE("transpose exchanges two axes and copies") {
  const Tensor x = Tensor::arange(24).reshape({2, 3, 4}).to(device);
  CHECK(transpose(x, 0, -1).to_vector<int32_t>() == reference<int32_t>(x, {2, 1, 0}));
  CHECK(transpose(x, 1, 2).shape() == Shape{2, 4, 3});
  const Tensor same = transpose(x, 1, 1);
  CHECK(same.to_vector<int32_t>() == x.to_vector<int32_t>());
  CHECK_FALSE(same.shares_storage_with(x));
}

DEVICE_TEST_CASE("permute has the gradients of central differences") {
  Rng rng(1);
  for (const Case& c : kCases) {
    const auto report = gradcheck([&](const auto& in) { return permute(in[0], c.axes); },
                                  {rng.uniform(c.shape, -1, 1, DType::float64).to(device)},
                                  {.max_elements = device == Device::cpu ? 512 : 2});
    CHECK_MESSAGE(report.ok, to_string(c.shape), ": ", report.message);
  }
  const auto report = gradcheck([](const auto& in) { return transpose(in[0], 0, 2); },
                                {rng.uniform({2, 3, 4}, -1, 1, DType::float64).to(device)});
  CHECK_MESSAGE(report.ok, report.message);
}

TEST_CASE("permute does the same on any number of threads") {
  const int threads = num_threads();
  const Tensor x = Tensor::arange(3 * 500 * 300).reshape({3, 500, 300});
  for (const std::vector<int>& axes : {std::vector{2, 1, 0}, std::vector{1, 0, 2}}) {
    set_num_threads(1);
    const Tensor one = permute(x, axes);
    set_num_threads(2);
    const Tensor two = permute(x, axes);
    set_num_threads(threads);
    CHECK(one.to_vector<int32_t>() == two.to_vector<int32_t>());
  }
}

TEST_CASE("permute refuses what is no permutation") {
  const Tensor x = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(permute(x, {0}), "permute: 1 axes for a tensor of shape [2, 3]", Error);
  CHECK_THROWS_WITH_AS(permute(x, {0, -2}), "permute: axis -2 of shape [2, 3] is named twice",
                       Error);
  CHECK_THROWS_WITH_AS(permute(x, {0, 2}), "permute: axis 2 is out of range for shape [2, 3]",
                       Error);
  CHECK_THROWS_WITH_AS(transpose(x, 0, 2), "transpose: axis 2 is out of range for shape [2, 3]",
                       Error);
  CHECK_THROWS_WITH_AS(transpose(Tensor(), 0, 0),
                       "transpose: x is undefined; assign a tensor to it first", Error);
}
