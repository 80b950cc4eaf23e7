#include <span>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/matmul.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

Shape leading_axes(const Tensor& x) {
  return Shape(std::span(x.shape().begin(), x.shape().end() - 2));
}

MatmulProblem make_problem(const Tensor& a, const Tensor& b, MatmulOptions options) {
  check_floating("matmul", {"a", a});
  check_same_kind("matmul", a, b);
  check(a.rank() >= 2 && b.rank() >= 2, "matmul: expected matrices, got shapes ", a.shape(),
        " and ", b.shape());
  MatmulProblem problem{options.transpose_a, options.transpose_b};
  problem.rows = a.extent(options.transpose_a ? -1 : -2);
  problem.inner = a.extent(options.transpose_a ? -2 : -1);
  problem.columns = b.extent(options.transpose_b ? -2 : -1);
  problem.a_batch = leading_axes(a);
  problem.b_batch = leading_axes(b);
  const int64_t inner_of_b = b.extent(options.transpose_b ? -1 : -2);
  const char* transposed_a = options.transpose_a ? " transposed" : "";
  const char* transposed_b = options.transpose_b ? " transposed" : "";
  check(problem.inner == inner_of_b, "matmul: expected equal inner extents, got ", problem.inner,
        " and ", inner_of_b, " (a ", a.shape(), transposed_a, ", b ", b.shape(), transposed_b, ")");
  problem.batch = broadcast_shape("matmul (leading axes)", {problem.a_batch, problem.b_batch});
  problem.c_batch = problem.batch;
  return problem;
}

Shape result_shape(const MatmulProblem& problem) {
  std::vector<int64_t> extents(problem.batch.begin(), problem.batch.end());
  extents.insert(extents.end(), {problem.rows, problem.columns});
  return Shape(std::span<const int64_t>(extents));
}

/// A stack of matrices times one and the same matrix is one tall matrix times that.
void join_rows(MatmulProblem& problem) {
  if (problem.transpose_a || problem.b_batch.size() != 1) return;
  problem.rows *= problem.batch.size();
  problem.a_batch = problem.b_batch = problem.c_batch = problem.batch = Shape{};
}

/// A stack of matrices as a factor of a product.
struct Factor {
  const Tensor& tensor;
  bool transposed;
  const Shape& batch;
};

/// z = a · b, of so many rows and columns, or its transpose where that is how z is stored.
void multiply(const Factor& a, const Factor& b, int64_t rows, int64_t inner, int64_t columns,
              const Shape& batch, bool transpose_z, const Shape& z_batch, Tensor& z) {
  if (transpose_z)  // zᵀ = bᵀ · aᵀ
    return multiply({b.tensor, !b.transposed, b.batch}, {a.tensor, !a.transposed, a.batch}, columns,
                    inner, rows, batch, false, z_batch, z);
  kernels_of(z).matmul(
      {a.transposed, b.transposed, rows, columns, inner, a.batch, b.batch, z_batch, batch},
      a.tensor, b.tensor, z);
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  MatmulProblem p = make_problem(a, b, options);
  Tensor c = empty_beside(a, result_shape(p));
  join_rows(p);
  kernels_of(c).matmul(p, a, b, c);
  const Tensor nothing;  // each factor is needed for the other one's gradient only
  record("matmul", {&a, &b}, c,
         {b.requires_grad() ? &a : &nothing, a.requires_grad() ? &b : &nothing},
         [p, of_a = a.shape(), of_b = b.shape()](Gradients& gradients) {
           const Tensor& dc = gradients.of_output();
           gradients.set_computed(0, of_a, [&](Tensor& da) {  // dC · op(B)ᵀ
             multiply({dc, false, p.c_batch}, {gradients.saved(1), !p.transpose_b, p.b_batch},
                      p.rows, p.columns, p.inner, p.batch, p.transpose_a, p.a_batch, da);
           });
           gradients.set_computed(1, of_b, [&](Tensor& db) {  // op(A)ᵀ · dC
             multiply({gradients.saved(0), !p.transpose_a, p.a_batch}, {dc, false, p.c_batch},
                      p.inner, p.rows, p.columns, p.batch, p.transpose_b, p.b_batch, db);
           });
         });
  return c;
}

}  // namespace pade
