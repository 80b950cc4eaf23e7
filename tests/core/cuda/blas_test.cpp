#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <pade/core/kernels/cuda/blas.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/random.h>
#include <pade/core/tensor.h>

using namespace pade;
using cuda::GemmShape;

namespace {

/// cuBLAS where there is one, and our own kernel.
enum class Way { gemm, gemm_without_cublas };
constexpr Way kWays[] = {Way::gemm, Way::gemm_without_cublas};

/// The matrices of a product lie `offset` elements behind an address that packs may begin at, and
/// `gap` elements apart: after each stored row and after each matrix.
struct Layout {
  int64_t offset = 0, gap = 0;
};
constexpr Layout kTight{}, kAnywhere{1, 3}, kPackedWithGaps{0, 4};

struct Sizes {
  int64_t rows, columns, inner;
};

/// A stack of matrices as it is stored.
template <class T>
struct Stack {
  int64_t stride, batch_stride, offset;
  std::vector<T> values;

  Stack(int64_t rows, int64_t columns, int64_t count, Layout layout, Rng& rng)
      : stride(columns + layout.gap),
        batch_stride(rows * stride + layout.gap),
        offset(layout.offset),
        values(rng.uniform({layout.offset + batch_stride * count}, -1, 1, dtype_of<T>())
                   .template to_vector<T>()) {}

  T& at(int64_t matrix, int64_t row, int64_t column) {
    return values[offset + matrix * batch_stride + row * stride + column];
  }
  Tensor on_gpu() const {
    return Tensor::from(values, {static_cast<int64_t>(values.size())}).to(Device::cuda);
  }
};

template <class T>
struct Result {
  std::vector<T> c;
  double error;      ///< the worst, in roundings of the terms' absolute values; NaN if any is
  bool gaps_intact;  ///< nothing was written outside of C
};

template <class T>
Result<T> multiply(Way way, GemmShape shape, Layout layout, bool same_a = false) {
  Rng rng(1);
  const bool ta = shape.transpose_a, tb = shape.transpose_b;
  Stack<T> a(ta ? shape.inner : shape.rows, ta ? shape.rows : shape.inner, same_a ? 1 : shape.batch,
             layout, rng);
  Stack<T> b(tb ? shape.columns : shape.inner, tb ? shape.inner : shape.columns, shape.batch,
             layout, rng);
  Stack<T> c(shape.rows, shape.columns, shape.batch, layout, rng);
  shape.a_stride = a.stride;
  shape.b_stride = b.stride;
  shape.c_stride = c.stride;
  shape.a_batch = same_a ? 0 : a.batch_stride;
  shape.b_batch = b.batch_stride;
  shape.c_batch = c.batch_stride;
  auto for_each_element = [&](auto f) {
    for (int64_t matrix = 0; matrix < shape.batch; ++matrix)
      for (int64_t row = 0; row < shape.rows; ++row)
        for (int64_t column = 0; column < shape.columns; ++column) f(matrix, row, column);
  };
  if (!shape.accumulate) {  // then nobody may look at C
    const T nan = std::numeric_limits<T>::quiet_NaN();
    for_each_element([&](auto... index) { c.at(index...) = nan; });
  }

  const Tensor a_on_gpu = a.on_gpu(), b_on_gpu = b.on_gpu();
  Tensor c_on_gpu = c.on_gpu();
  auto run = [&](auto function) {
    function(shape, a_on_gpu.address<T>() + a.offset, b_on_gpu.address<T>() + b.offset,
             c_on_gpu.mutable_address<T>() + c.offset);
  };
  way == Way::gemm ? run(cuda::gemm<T>) : run(cuda::gemm_without_cublas<T>);

  Stack<T> after = c;
  after.values = c_on_gpu.to_vector<T>();
  Result<T> result{after.values, 0, true};
  const double rounding = std::numeric_limits<T>::epsilon();
  for_each_element([&](int64_t matrix, int64_t row, int64_t column) {
    const double old = shape.accumulate ? c.at(matrix, row, column) : 0;
    double sum = 0, size = 0;
    for (int64_t k = 0; k < shape.inner; ++k) {
      const int64_t a_matrix = same_a ? 0 : matrix;
      const double term = double{ta ? a.at(a_matrix, k, row) : a.at(a_matrix, row, k)} *
                          (tb ? b.at(matrix, column, k) : b.at(matrix, k, column));
      sum += term;
      size += std::abs(term);
    }
    const double error = std::abs(after.at(matrix, row, column) - (sum + old));
    const double scale = rounding * (size + std::abs(old));
    const double relative = error == 0 ? 0 : error / scale;
    if (!(relative <= result.error)) result.error = relative;
    after.at(matrix, row, column) = c.at(matrix, row, column) = 0;
  });
  result.gaps_intact = after.values == c.values;
  return result;
}

GemmShape shape_of(const Sizes& sizes, int transposes, int64_t batch = 1, bool accumulate = false) {
  GemmShape shape{(transposes & 1) != 0, (transposes & 2) != 0, accumulate};
  shape.rows = sizes.rows;
  shape.columns = sizes.columns;
  shape.inner = sizes.inner;
  shape.batch = batch;
  return shape;
}

/// The errors of both ways. A sum of n terms, one after the other, is wrong by n roundings at most;
/// those of n random terms come to √n or so.
template <class T>
void check_product(const GemmShape& shape, Layout layout, bool same_a = false) {
  for (const Way way : kWays) {
    CAPTURE(static_cast<int>(way));
    CAPTURE(shape.transpose_a);
    CAPTURE(shape.transpose_b);
    CAPTURE(shape.rows);
    CAPTURE(shape.columns);
    CAPTURE(shape.inner);
    CAPTURE(layout.gap);
    CAPTURE(sizeof(T));
    const Result<T> result = multiply<T>(way, shape, layout, same_a);
    CHECK(result.error <= 4 + std::sqrt(static_cast<double>(shape.inner)) / 2);
    CHECK(result.gaps_intact);
  }
}

}  // namespace

TEST_CASE("products by cuBLAS and by our kernel, for all transpositions, sizes and places [cuda]") {
  const Sizes kSizes[] = {{1, 1, 1},    {5, 7, 3},    {1, 70, 9},    {64, 64, 16},
                          {65, 63, 17}, {3, 129, 40}, {130, 70, 33}, {3, 2, 0}};
  for (const Sizes& sizes : kSizes)
    for (int transposes = 0; transposes < 4; ++transposes)
      for (const Layout& layout : {kTight, kAnywhere}) {
        check_product<float>(shape_of(sizes, transposes), layout);
        check_product<double>(shape_of(sizes, transposes), layout);
      }
}

TEST_CASE("products are added to what is there [cuda]") {
  for (const bool accumulate : {false, true})
    for (const Sizes& sizes :
         {Sizes{66, 33, 20}, Sizes{3, 5, 300}, Sizes{3, 5, 600}, Sizes{3, 2, 0}})
      for (const Layout& layout : {kAnywhere, kPackedWithGaps}) {
        check_product<float>(shape_of(sizes, 0, 1, accumulate), layout);
        check_product<double>(shape_of(sizes, 3, 1, accumulate), layout);
      }
}

TEST_CASE("products of stacks, and of one matrix with a stack [cuda]") {
  for (int transposes = 0; transposes < 4; ++transposes)
    for (const bool same_a : {false, true})
      for (const Layout& layout : {kTight, kAnywhere, kPackedWithGaps}) {
        check_product<float>(shape_of({9, 12, 8}, transposes, 5), layout, same_a);
        check_product<double>(shape_of({9, 12, 8}, transposes, 5, true), layout, same_a);
      }
}

TEST_CASE("products over long inner axes [cuda]") {
  for (int transposes = 0; transposes < 4; ++transposes) {
    check_product<float>(shape_of({6, 10, 410}, transposes), kTight);
    check_product<double>(shape_of({6, 10, 410}, transposes, 2), kAnywhere);
  }
  check_product<float>(shape_of({1, 1, 8403}, 2), kTight);
}

TEST_CASE("products of many matrices [cuda]") {
  check_product<float>(shape_of({65, 66, 9}, 0, 132), kPackedWithGaps);
  check_product<float>(shape_of({129, 65, 10}, 3, 66, true), kAnywhere);
}

TEST_CASE("products have the same bits on every run [cuda]") {
  for (const Way way : kWays)
    for (const Sizes& sizes : {Sizes{70, 30, 50}, Sizes{4, 3, 700}}) {
      const auto first = multiply<float>(way, shape_of(sizes, 2, 1, true), kTight).c;
      CHECK(multiply<float>(way, shape_of(sizes, 2, 1, true), kTight).c == first);
    }
}

namespace {

/// Σ of `count` products of a column with a row of ones, added to what is there.
template <class T>
void check_terms(int64_t count) {
  Rng rng(2);
  const Tensor a = rng.uniform({count, 2, 1}, 1, 2, dtype_of<T>());
  const Tensor old = rng.uniform({2, 3}, -1, 1, dtype_of<T>());
  Tensor c = old.to(Device::cuda);
  MatmulProblem problem{.rows = 2, .columns = 3, .inner = 1};
  problem.a_batch = problem.batch = {count};
  problem.accumulate = true;
  kernels_of(c).matmul(problem, a.to(Device::cuda),
                       Tensor::full({1, 3}, 1, dtype_of<T>(), Device::cuda), c);
  const double tolerance = sizeof(T) == sizeof(float) ? 1.2e-7 : 1e-14;
  for (int64_t row = 0; row < 2; ++row) {
    double sum = 0;
    for (int64_t k = 0; k < count; ++k) sum += a.at({k, row, 0});
    for (int64_t column = 0; column < 3; ++column) {
      const double expected = sum + old.at({row, column});
      CHECK(std::abs(c.at({row, column}) - expected) <= tolerance * std::abs(expected));
    }
  }
}

}  // namespace

TEST_CASE("many terms are added in float64 [cuda]") {
  for (const int64_t count : {1, 2, 64, 65, 4100}) {
    check_terms<float>(count);
    check_terms<double>(count);
  }
}

TEST_CASE("what multiplies matrices says its name [cuda]") {
  const std::string text = cuda::describe_blas();
  CHECK_MESSAGE((text.starts_with("cuBLAS ") || text.starts_with("no cuBLAS (")), text);
}
