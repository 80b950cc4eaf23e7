#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/linear.h>
#include <pade/core/ops/matmul.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

struct Case {
  Shape a, b;
  MatmulOptions options;
  Shape c;
};

const Case kCases[] = {
    {{2, 3}, {3, 4}, {}, {2, 4}},
    {{3, 2}, {3, 4}, {.transpose_a = true}, {2, 4}},
    {{2, 3}, {4, 3}, {.transpose_b = true}, {2, 4}},
    {{3, 2}, {4, 3}, {.transpose_a = true, .transpose_b = true}, {2, 4}},
    {{1, 1}, {1, 1}, {}, {1, 1}},
    {{1, 7}, {7, 1}, {}, {1, 1}},
    {{7, 1}, {1, 5}, {}, {7, 5}},
    {{0, 3}, {3, 4}, {}, {0, 4}},
    {{2, 3}, {3, 0}, {}, {2, 0}},
    {{2, 0}, {0, 4}, {}, {2, 4}},
    // batches
    {{5, 2, 3}, {5, 3, 4}, {}, {5, 2, 4}},
    {{5, 3, 2}, {5, 4, 3}, {.transpose_a = true, .transpose_b = true}, {5, 2, 4}},
    {{5, 2, 3}, {3, 4}, {}, {5, 2, 4}},
    {{5, 2, 3}, {4, 3}, {.transpose_b = true}, {5, 2, 4}},
    {{5, 3, 2}, {3, 4}, {.transpose_a = true}, {5, 2, 4}},
    {{2, 3}, {5, 3, 4}, {}, {5, 2, 4}},
    {{2, 3}, {5, 4, 3}, {.transpose_b = true}, {5, 2, 4}},
    {{3, 1, 2, 4}, {5, 4, 2}, {}, {3, 5, 2, 2}},
    {{3, 1, 4, 2}, {1, 5, 2, 4}, {.transpose_a = true, .transpose_b = true}, {3, 5, 2, 2}},
    {{2, 1, 3, 2, 2}, {4, 1, 2, 2}, {}, {2, 4, 3, 2, 2}},
    {{1, 2, 3}, {1, 1, 3, 4}, {}, {1, 1, 2, 4}},
    {{0, 2, 3}, {3, 4}, {}, {0, 2, 4}},
    {{0, 2, 3}, {1, 3, 4}, {}, {0, 2, 4}},
    {{1, 3, 2}, {0, 3, 4}, {.transpose_a = true}, {0, 2, 4}},
};

/// The offset of the matrix that shows at index `position` of the leading axes `batch`.
int64_t matrix_offset(const Shape& shape, const Shape& batch, std::vector<int64_t> position) {
  const int leading = shape.rank() - 2;
  int64_t matrix = 0;
  for (int axis = 0; axis < leading; ++axis) {
    const int64_t at = position[batch.rank() - leading + axis];
    matrix = matrix * shape[axis] + (shape[axis] == 1 ? 0 : at);
  }
  return matrix * shape[-1] * shape[-2];
}

/// The definition, in long double; `size_of_terms` sums the terms' absolute values.
std::vector<long double> reference(const Tensor& a, const Tensor& b, const Case& c,
                                   std::vector<long double>& size_of_terms) {
  const Tensor a64 = a.to(DType::float64), b64 = b.to(DType::float64);
  const double *pa = a64.data<double>(), *pb = b64.data<double>();
  const Shape batch(std::span(c.c.begin(), c.c.end() - 2));
  const int64_t rows = c.c[-2], columns = c.c[-1];
  const int64_t inner = c.options.transpose_a ? c.a[-2] : c.a[-1];
  std::vector<long double> result;
  for (int64_t number = 0; number < batch.size(); ++number) {
    std::vector<int64_t> position(batch.rank());
    int64_t rest = number;
    for (int axis = batch.rank() - 1; axis >= 0; --axis) {
      position[axis] = rest % batch[axis];
      rest /= batch[axis];
    }
    const int64_t from_a = matrix_offset(c.a, batch, position);
    const int64_t from_b = matrix_offset(c.b, batch, position);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        long double sum = 0, size = 0;
        for (int64_t k = 0; k < inner; ++k) {
          const long double term =
              static_cast<long double>(
                  pa[from_a + (c.options.transpose_a ? k * rows + i : i * inner + k)]) *
              pb[from_b + (c.options.transpose_b ? j * inner + k : k * columns + j)];
          sum += term;
          size += std::abs(term);
        }
        result.push_back(sum);
        size_of_terms.push_back(size);
      }
  }
  return result;
}

/// The largest error relative to the terms' absolute values, in units of the dtype's rounding;
/// NaN if any element is.
double worst_error(const Case& c, DType dtype, Device device, Rng& rng) {
  const Tensor a = rng.uniform(c.a, -1, 1, dtype), b = rng.uniform(c.b, -1, 1, dtype);
  const Tensor on_device = matmul(a.to(device), b.to(device), c.options);
  REQUIRE(on_device.shape() == c.c);
  REQUIRE(on_device.device() == device);
  const Tensor product = on_device.to(Device::cpu).to(DType::float64);
  std::vector<long double> size_of_terms;
  const std::vector<long double> expected = reference(a, b, c, size_of_terms);
  const double* values = product.data<double>();
  const double epsilon = dtype == DType::float32 ? 0x1p-23 : 0x1p-52;
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = static_cast<double>(std::abs(values[i] - expected[i]));
    const double relative =
        error == 0 ? 0 : error / (epsilon * static_cast<double>(size_of_terms[i]));
    if (!(relative <= worst)) worst = relative;
  }
  return worst;
}

}  // namespace

DEVICE_TEST_CASE(
    "matmul is the sum of products, for batches, broadcasting and transposed factors") {
  Rng rng(1);
  for (const Case& c : kCases)
    for (const DType dtype : {DType::float32, DType::float64}) {
      const double error = worst_error(c, dtype, device, rng);
      CHECK_MESSAGE(error <= 8, to_string(c.a), " ", to_string(c.b));
    }
}

DEVICE_TEST_CASE("matmul of what is cut into several blocks") {
  Rng rng(2);
  const Case large[] = {
      {{128, 400}, {400, 120}, {}, {128, 120}},
      {{131, 77}, {301, 77}, {.transpose_b = true}, {131, 301}},
      {{77, 131}, {301, 77}, {.transpose_a = true, .transpose_b = true}, {131, 301}},
      {{6, 25}, {25, 4000}, {}, {6, 4000}},
      {{3000, 20}, {20, 9}, {}, {3000, 9}},
      {{40, 8, 9}, {40, 9, 10}, {}, {40, 8, 10}},  // a few matrices per block
      {{300, 16, 20}, {300, 20, 24}, {}, {300, 16, 24}},
      {{3, 120, 130}, {130, 110}, {}, {3, 120, 110}},
  };
  for (const Case& c : large)
    for (const DType dtype : {DType::float32, DType::float64}) {
      const double error = worst_error(c, dtype, device, rng);
      CHECK_MESSAGE(error <= 30, to_string(c.a), " ", to_string(c.b));
    }
}

DEVICE_TEST_CASE("matmul has the gradients of central differences") {
  Rng rng(3);
  for (const Case& c : kCases) {
    if (device == Device::cuda && c.a.rank() > 2) continue;  // these are compared below
    const auto report = gradcheck([&](const auto& in) { return matmul(in[0], in[1], c.options); },
                                  {rng.uniform(c.a, -1, 1, DType::float64).to(device),
                                   rng.uniform(c.b, -1, 1, DType::float64).to(device)});
    CHECK_MESSAGE(report.ok, to_string(c.a), " ", to_string(c.b), ": ", report.message);
  }
  const auto squared = gradcheck([](const auto& in) { return matmul(in[0], in[0]); },
                                 {rng.uniform({4, 4}, -1, 1, DType::float64).to(device)});
  CHECK_MESSAGE(squared.ok, squared.message);
}

DEVICE_TEST_CASE("matmul saves only the factor that the other one's gradient needs") {
  const Tensor row = Tensor::ones({1, 3}).to(device), column = Tensor::ones({3, 1}).to(device);
  for (const bool left : {true, false}) {
    Tensor weight = Tensor::ones({3, 3}).to(device).requires_grad_();
    Tensor constant = Tensor::ones({3, 3}).to(device);
    Tape tape;
    const Tensor y = left ? matmul(weight, constant) : matmul(constant, weight);
    const Tensor loss = matmul(matmul(row, y), column);
    weight.detach().fill_(2);
    tape.backward(loss, {.keep = true});
    CHECK(weight.grad().at({1, 1}) == 3);
    constant.fill_(2);
    CHECK_THROWS_WITH_AS(tape.backward(loss),
                         doctest::Contains("backward of matmul: a tensor of shape [3, 3]"), Error);
  }
}

TEST_CASE("matmul has the same bits for any number of threads") {
  Rng rng(4);
  const int threads = num_threads();
  const Case cases[] = {{{300, 200}, {200, 170}, {}, {300, 170}},
                        {{40, 30, 50}, {50, 35}, {}, {40, 30, 35}},
                        {{30, 50}, {40, 50, 35}, {}, {40, 30, 35}}};
  for (const Case& c : cases) {
    auto run = [&](int n) {
      set_num_threads(n);
      Rng same(5);
      Tensor a = same.uniform(c.a, -1, 1).requires_grad_();
      Tensor b = same.uniform(c.b, -1, 1).requires_grad_();
      Tape tape;
      const Tensor y = matmul(a, b);
      const Tensor flat = y.reshape({1, -1});
      tape.backward(matmul(flat, flat, {.transpose_b = true}));
      return std::vector{y.to_vector<float>(), a.grad().to_vector<float>(),
                         b.grad().to_vector<float>()};
    };
    const auto one = run(1), two = run(2);
    set_num_threads(threads);
    CHECK(one == two);
  }
}

DEVICE_TEST_CASE("matmul takes views that begin anywhere") {
  Rng rng(6);
  for (const int64_t begin : {0, 1, 2, 3}) {
    const Tensor a = rng.uniform({begin + 12 * 20}, -1, 1).to(device).slice(begin, begin + 12 * 20);
    const Tensor b = rng.uniform({begin + 20 * 8}, -1, 1).to(device).slice(begin, begin + 20 * 8);
    const Tensor left = a.reshape({12, 20}), right = b.reshape({20, 8});
    const auto of_copies = matmul(left.clone(), right.clone()).to_vector<float>();
    // An aligned copy may be multiplied another way, but each sum has 20 terms below 1.
    const auto of_views = matmul(left, right).to_vector<float>();
    for (size_t i = 0; i < of_views.size(); ++i)
      CHECK(std::abs(of_views[i] - of_copies[i]) <= 20 * 0x1p-23);
  }
}

TEST_CASE("matmul has the same gradients on both devices [cuda]") {
  std::vector<Case> cases(std::begin(kCases), std::end(kCases));
  const MatmulOptions transposed{.transpose_a = true};           // so that matrices are not joined
  cases.push_back({{70, 5, 1}, {5, 4}, transposed, {}});         // dB sums more than one group
  cases.push_back({{5, 3}, {70, 5, 2}, transposed, {}});         // and dA
  cases.push_back({{3, 70, 2, 4}, {70, 2, 5}, transposed, {}});  // dB: over the outer axis only
  cases.push_back({{33, 256, 1}, {256, 256}, transposed, {}});   // dB: too much to be held at once
  for (const Case& c : cases) {
    auto gradients = [&](Device device) {
      Rng rng(7);
      Tensor a = rng.uniform(c.a, -1, 1).to(device).requires_grad_();
      Tensor b = rng.uniform(c.b, -1, 1).to(device).requires_grad_();
      Tape tape;
      const Tensor flat = matmul(a, b, c.options).reshape({1, -1});
      tape.backward(matmul(flat, rng.uniform({flat.size(), 1}, -1, 1).to(device)));
      return std::pair{a.grad().to_vector<float>(), b.grad().to_vector<float>()};
    };
    const auto [da, db] = gradients(Device::cuda);
    CHECK(gradients(Device::cuda) == std::pair{da, db});
    const auto [expected_da, expected_db] = gradients(Device::cpu);
    double worst = 0;
    auto compare = [&](const std::vector<float>& got, const std::vector<float>& expected) {
      REQUIRE(got.size() == expected.size());
      for (size_t i = 0; i < got.size(); ++i) {
        const double error = std::abs(double{got[i]} - expected[i]);
        if (!(error <= worst)) worst = error;
      }
    };
    compare(da, expected_da);
    compare(db, expected_db);
    // Sums of up to 350 terms below 1, in another order.
    CHECK_MESSAGE(worst <= 350 * 0x1p-23, to_string(c.a), " ", to_string(c.b));
  }
}

TEST_CASE("matmul and linear refuse factors of different devices [cuda]") {
  const Tensor here = Tensor::ones({2, 2}), there = here.to(Device::cuda);
  CHECK_THROWS_WITH_AS(matmul(here, there),
                       "matmul: expected one device, got a on cpu and b on cuda", Error);
  CHECK_THROWS_WITH_AS(linear(there, here),
                       "linear: expected one device, got x on cuda and weight on cpu", Error);
}

TEST_CASE("matmul refuses what does not fit together") {
  const Tensor a = Tensor::ones({2, 3}), b = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(matmul(a, b),
                       "matmul: expected equal inner extents, got 3 and 2 (a [2, 3], b [2, 3])",
                       Error);
  CHECK_THROWS_WITH_AS(
      matmul(a, b, {.transpose_a = true, .transpose_b = true}),
      "matmul: expected equal inner extents, got 2 and 3 (a [2, 3] transposed, b [2, 3] "
      "transposed)",
      Error);
  CHECK_THROWS_WITH_AS(matmul(Tensor::ones({4, 2, 3}), Tensor::ones({5, 3, 2})),
                       "matmul (leading axes): shapes [4] and [5] do not broadcast", Error);
  CHECK_THROWS_WITH_AS(matmul(a, Tensor::ones({3})),
                       "matmul: expected matrices, got shapes [2, 3] and [3]", Error);
  CHECK_THROWS_WITH_AS(matmul(a, Tensor::ones({3, 2}, DType::float64)),
                       "matmul: expected one dtype, got a float32 [2, 3] and b float64 [3, 2]",
                       Error);
  CHECK_THROWS_AS(matmul(Tensor::arange(4).reshape({2, 2}), Tensor::arange(4).reshape({2, 2})),
                  Error);
  CHECK_THROWS_WITH_AS(matmul(Tensor(), a), "matmul: a is undefined; assign a tensor to it first",
                       Error);
}
