#include <span>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>
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

/// op(A)'s gradient is dC·op(B)ᵀ; where A is stored transposed it is the transpose of that.
void gradient_of_a(const MatmulProblem& p, const Tensor& dc, const Tensor& b, Tensor& da) {
  if (p.transpose_a)
    kernels_of(dc).matmul(
        {p.transpose_b, true, p.inner, p.rows, p.columns, p.b_batch, p.c_batch, p.a_batch, p.batch},
        b, dc, da);
  else
    kernels_of(dc).matmul({false, !p.transpose_b, p.rows, p.inner, p.columns, p.c_batch, p.b_batch,
                           p.a_batch, p.batch},
                          dc, b, da);
}

/// op(B)'s gradient is op(A)ᵀ·dC, or its transpose.
void gradient_of_b(const MatmulProblem& p, const Tensor& dc, const Tensor& a, Tensor& db) {
  if (p.transpose_b)
    kernels_of(dc).matmul(
        {true, p.transpose_a, p.columns, p.inner, p.rows, p.c_batch, p.a_batch, p.b_batch, p.batch},
        dc, a, db);
  else
    kernels_of(dc).matmul({!p.transpose_a, false, p.inner, p.columns, p.rows, p.a_batch, p.c_batch,
                           p.b_batch, p.batch},
                          a, dc, db);
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  MatmulProblem problem = make_problem(a, b, options);
  Tensor c = Tensor::empty(result_shape(problem), a.dtype(), a.device());
  join_rows(problem);
  kernels_of(c).matmul(problem, a, b, c);
  const Tensor nothing;  // each factor is needed for the other one's gradient only
  record("matmul", {&a, &b}, c,
         {b.requires_grad() ? &a : &nothing, a.requires_grad() ? &b : &nothing},
         [problem, a_shape = a.shape(), b_shape = b.shape()](Gradients& gradients) {
           const Tensor& dc = gradients.of_output();
           if (gradients.needs(0)) {
             Tensor da = Tensor::empty(a_shape, dc.dtype(), dc.device());
             gradient_of_a(problem, dc, gradients.saved(1), da);
             gradients.set(0, da);
           }
           if (gradients.needs(1)) {
             Tensor db = Tensor::empty(b_shape, dc.dtype(), dc.device());
             gradient_of_b(problem, dc, gradients.saved(0), db);
             gradients.set(1, db);
           }
         });
  return c;
}

}  // namespace pade
