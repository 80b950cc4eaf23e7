#include <algorithm>
#include <vector>

#include <pade/core/kernels/cpu/blas.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// The numbers of the matrices whose product is one term of a matrix of C.
struct Term {
  int64_t a, b;
};

/// The terms of every matrix of C, one matrix after the other, in the order of the batch. All
/// matrices have the same number of terms.
std::vector<Term> terms_of(const MatmulProblem& problem) {
  const int64_t positions = problem.batch.size();
  std::vector<Term> terms(positions);
  if (positions == 0) return terms;
  const int64_t per_matrix = positions / problem.c_batch.size();
  std::vector<int64_t> filled(problem.c_batch.size(), 0);
  const LoopNest nest =
      loop_over(problem.batch, {problem.a_batch, problem.b_batch, problem.c_batch});
  Position position(nest, nest.rank, 0);
  for (int64_t i = 0; i < positions; ++i, position.advance()) {
    const auto [a, b, c, unused] = position.offsets();
    terms[c * per_matrix + filled[c]++] = {a, b};
  }
  return terms;
}

/// How C is cut into blocks of work: into tiles of every matrix, or into groups of matrices that
/// are too small to be a block of their own.
struct Cut {
  int64_t tile_rows, tile_columns;
  int64_t matrices;  // per block
};

constexpr double kSmallestBlock = 1e6;    // floating-point operations; 10 µs or so
constexpr double kSmallestEdge = 48;      // gemm packs its operands: thin tiles repeat that often
constexpr double kLargestTile = 1 << 20;  // elements
constexpr int64_t kEnoughBlocks = 16;     // to keep as many threads busy

int64_t tile_edge(int64_t extent, int64_t pieces) {
  constexpr int64_t kMultiple = 8;  // whole vectors
  return std::max<int64_t>(1, blocks_of(blocks_of(extent, pieces), kMultiple) * kMultiple);
}

/// Halves the longer edge until there are enough tiles or they would be too small. Depends on the
/// problem's size only.
Cut cut(const MatmulProblem& problem, int64_t matrices, int64_t terms) {
  const double rows = static_cast<double>(problem.rows);
  const double columns = static_cast<double>(problem.columns);
  const double work = 2 * rows * columns * static_cast<double>(problem.inner * terms);
  int64_t row_pieces = 1, column_pieces = 1;
  for (;;) {
    const double height = rows / row_pieces, width = columns / column_pieces;
    const int64_t pieces = row_pieces * column_pieces;
    const bool too_large = height * width > kLargestTile;
    const bool too_few = matrices * pieces < kEnoughBlocks && work / pieces >= 2 * kSmallestBlock;
    if (std::max(height, width) < 2 * kSmallestEdge || !(too_large || too_few)) break;
    (height >= width ? row_pieces : column_pieces) *= 2;
  }
  const double group = kSmallestBlock / std::max(work, 1.0);
  return {tile_edge(problem.rows, row_pieces), tile_edge(problem.columns, column_pieces),
          std::clamp<int64_t>(static_cast<int64_t>(group), 1, matrices)};
}

template <class T>
void multiply(const MatmulProblem& p, const T* a, const T* b, T* c) {
  const std::vector<Term> terms = terms_of(p);
  const int64_t matrices = p.c_batch.size();
  if (matrices == 0) return;
  const int64_t per_matrix = static_cast<int64_t>(terms.size()) / matrices;
  const int64_t a_stride = p.transpose_a ? p.rows : p.inner;
  const int64_t b_stride = p.transpose_b ? p.inner : p.columns;

  auto multiply_tile = [&](int64_t matrix, int64_t row, int64_t rows, int64_t column,
                           int64_t columns) {
    T* tile = c + matrix * p.rows * p.columns + row * p.columns + column;
    auto add_term = [&](const T* term_a, const T* term_b, int64_t inner, T beta) {
      blas::gemm<T>(p.transpose_a, p.transpose_b, rows, columns, inner, 1,
                    term_a + row * (p.transpose_a ? 1 : a_stride), a_stride,
                    term_b + column * (p.transpose_b ? b_stride : 1), b_stride, beta, tile,
                    p.columns);
    };
    T beta = p.accumulate ? 1 : 0;
    if (per_matrix == 0) return add_term(a, b, 0, beta);
    for (int64_t i = matrix * per_matrix; i < (matrix + 1) * per_matrix; ++i) {
      add_term(a + terms[i].a * p.rows * p.inner, b + terms[i].b * p.inner * p.columns, p.inner,
               beta);
      beta = 1;
    }
  };

  const Cut blocks = cut(p, matrices, per_matrix);
  const int64_t tiles_down = blocks_of(p.rows, blocks.tile_rows);
  const int64_t tiles_across = blocks_of(p.columns, blocks.tile_columns);
  const int64_t tiles = tiles_down * tiles_across;
  parallel_blocks(blocks_of(matrices, blocks.matrices) * tiles, [&](int64_t block) {
    const int64_t first = block / tiles * blocks.matrices;
    const int64_t row = block % tiles / tiles_across * blocks.tile_rows;
    const int64_t column = block % tiles_across * blocks.tile_columns;
    const int64_t end = std::min(matrices, first + blocks.matrices);
    for (int64_t matrix = first; matrix < end; ++matrix)
      multiply_tile(matrix, row, std::min(blocks.tile_rows, p.rows - row), column,
                    std::min(blocks.tile_columns, p.columns - column));
  });
}

void matmul(const MatmulProblem& problem, const Tensor& a, const Tensor& b, Tensor& c) {
  dispatch_floating(c.dtype(), "matmul", [&]<class T>(T) {
    multiply(problem, a.data<T>(), b.data<T>(), c.mutable_data<T>());
  });
}

}  // namespace

void add_matmul(Kernels& kernels) { kernels.matmul = matmul; }

}  // namespace pade::cpu
