#include <algorithm>

#include <pade/core/kernels/cuda/blas.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/reduce_nest.cuh>

namespace pade::cuda {
namespace {

enum Operand { kA, kB, kC };

/// A product like `shape` for each step of loops whose operands are A, B and C, counted in
/// matrices; no two steps have the same C.
template <class T>
void multiply_all(GemmShape shape, LoopNest nest, const T* a, const T* b, T* c) {
  const int64_t a_size = shape.rows * shape.inner, b_size = shape.inner * shape.columns;
  const int64_t c_size = shape.rows * shape.columns;
  nest.rank = std::max(nest.rank, 1);
  const auto end = nest.axes.begin() + nest.rank;
  std::iter_swap(end - 1, std::max_element(nest.axes.begin(), end, [](auto& left, auto& right) {
                   return left.extent < right.extent;
                 }));
  const LoopNest::Axis longest = nest.inner();  // one call for each step of the others
  shape.batch = longest.extent;
  shape.a_batch = longest.strides[kA] * a_size;
  shape.b_batch = longest.strides[kB] * b_size;
  shape.c_batch = longest.strides[kC] * c_size;
  --nest.rank;
  Position position(nest, nest.rank, 0);
  for (int64_t i = 0; i < nest.size(); ++i, position.advance()) {
    const Offsets& at = position.offsets();
    gemm(shape, a + at[kA] * a_size, b + at[kB] * b_size, c + at[kC] * c_size);
  }
}

constexpr int64_t kMostTermElements = int64_t{1} << 21;  // of memory for terms

template <class T>
struct StoreTerms {
  bool accumulate;
  T* c;
  __device__ void operator()(int64_t i, double sum) const {
    c[i] = static_cast<T>(accumulate ? sum + c[i] : sum);
  }
};

template <class T>
void multiply(const MatmulProblem& p, const T* a, const T* b, T* c) {
  GemmShape one{p.transpose_a, p.transpose_b, p.accumulate, p.rows, p.columns, p.inner};
  one.a_stride = p.transpose_a ? p.rows : p.inner;
  one.b_stride = p.transpose_b ? p.inner : p.columns;
  one.c_stride = p.columns;
  const int64_t matrices = p.c_batch.size(), elements = matrices * p.rows * p.columns;
  if (p.batch.size() == 0) {  // sums of nothing
    one.inner = 0;
    one.batch = matrices;
    one.c_batch = p.rows * p.columns;
    return gemm(one, a, b, c);
  }
  const LoopNest nest = loop_over(p.batch, {p.a_batch, p.b_batch, p.c_batch});
  const auto [kept, reduced, inner_is_reduced] = split_at_target(nest, kC);
  const int64_t terms = reduced.size();
  if (terms == 1) return multiply_all(one, nest, a, b, c);
  if (terms * elements <= kMostTermElements) {  // all at once, and then their sums
    Tensor each = Tensor::empty({terms, elements}, dtype_of<T>(), Device::cuda);
    one.accumulate = false;
    multiply_all(one, loop_over(p.batch, {p.a_batch, p.b_batch, p.batch}), a, b,
                 each.mutable_address<T>());
    LoopNest sums = loop_over(p.batch, {p.batch, p.c_batch});
    for (LoopNest::Axis& axis : sums.axes)
      for (int64_t& stride : axis.strides) stride *= p.rows * p.columns;
    sums.append({p.rows * p.columns, {1, 1}});
    return reduce<Sum>("matmul", Identity{}, sums, 1, StoreTerms<T>{p.accumulate, c},
                       each.address<T>());
  }
  Position position(reduced, reduced.rank, 0);
  for (int64_t term = 0; term < terms; ++term, position.advance()) {
    const Offsets& at = position.offsets();
    multiply_all(one, kept, a + at[kA] * p.rows * p.inner, b + at[kB] * p.inner * p.columns, c);
    one.accumulate = true;
  }
}

// ---------------------------------------------------------------------------------- launchers

void matmul(const MatmulProblem& problem, const Tensor& a, const Tensor& b, Tensor& c) {
  dispatch_floating(c.dtype(), "matmul", [&]<class T>(T) {
    multiply(problem, a.address<T>(), b.address<T>(), c.mutable_address<T>());
  });
}

}  // namespace

void add_matmul(Kernels& kernels) { kernels.matmul = matmul; }

}  // namespace pade::cuda
