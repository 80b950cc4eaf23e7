#include <algorithm>

#include <pade/core/kernels/cuda/blas.h>
#include <pade/core/tensor.h>
#include <pade/core/kernels/cuda/reduce_nest.cuh>

namespace pade::cuda {
namespace {

/// Blocks of kThreads compute square tiles of C, whose threads hold kMicro² elements each. Step by
/// step along the inner axis, a panel of op(A) and one of op(B) go through shared memory, and each
/// thread carries one pack of both.
template <class T, int kMicroSize>
struct Tiling {
  static constexpr int kSize = kPackSize<T>;
  static constexpr int kMicro = kMicroSize;
  static constexpr int kGroups = kMicro / kSize;  // packs of a thread's row
  static constexpr int kTile = 16 * kMicro;
  static constexpr int kDepth = kThreads * kSize / kTile;   // of a panel, along the inner axis
  static constexpr int kUnroll = kMicro == 4 ? kDepth : 2;  // more would want more registers
  // In shared memory the inner axis of a panel is the outer one. With four more elements a row, no
  // two threads of an access meet in one bank (see PanelCopy).
  static constexpr int kPitch = kTile + 4;
  static constexpr int kPanel = kDepth * kPitch;
  // The threads of a warp lie 4 × 8 in the tile, the warps of a block 4 × 2. A thread's packs are
  // as far apart as those of its warp are wide, so that the warp reads and writes neighbours.
  static constexpr int kRowStep = 4 * kSize, kColumnStep = 8 * kSize;
};

struct GemmPlan {
  GemmShape shape;
  unsigned tiles = 1, tiles_across = 1;
  unsigned slices = 1;  ///< of the inner axis, each with a C of its own
  int64_t slice_depth = 0;
  bool a_packed = false, b_packed = false, c_packed = false;
};

/// Carries one thread's pack of each panel of a factor, whose stored rows run either along the
/// inner axis (A, and B transposed) or across it. "Across" are the rows of A, the columns of B.
template <class T, class Tiles>
class PanelCopy {
 public:
  /// `first_across` and `first_inner` say where the first panel begins; `across_left` is how much
  /// of the factor there is from there.
  __device__ __forceinline__ PanelCopy(const T* factor, int64_t stride, bool along_inner,
                                       bool packed, int64_t first_across, int64_t first_inner,
                                       int across_left)
      : along_inner_(along_inner), packed_(packed) {
    constexpr int kSize = Tiles::kSize, kTile = Tiles::kTile;
    const int thread = threadIdx.x;
    if (along_inner) {
      // 32 bytes of each stored row at a time, which is what memory delivers at least. Threads next
      // to each other take the rows: they scatter their packs into neighbouring banks.
      constexpr int kRun = 4 * kSize;
      across_ = thread % kRun + thread / (2 * kRun) % (kTile / kRun) * kRun;
      inner_ = (thread / kRun % 2 + thread / (2 * kTile) * 2) * kSize;
    } else {
      across_ = thread % (kTile / kSize) * kSize;
      inner_ = thread / (kTile / kSize);
    }
    across_left_ = across_left - across_;
    first_across += across_;
    first_inner += inner_;
    next_ = factor + (along_inner ? first_across * stride + first_inner
                                  : first_inner * stride + first_across);
    step_ = along_inner ? Tiles::kDepth : Tiles::kDepth * stride;
  }

  /// This thread's pack of the next panel; zeros outside of the factor, and where the inner axis
  /// has no more than `inner_left` steps.
  __device__ __forceinline__ Pack<T> load(int inner_left) {
    const int left = along_inner_ ? (across_left_ > 0 ? inner_left - inner_ : 0)
                                  : (inner_left > inner_ ? across_left_ : 0);
    const Pack<T> pack = load_up_to<Tiles::kSize>(next_, left, packed_);
    next_ += step_;
    return pack;
  }

  __device__ __forceinline__ void store(T* panel, const Pack<T>& pack) const {
    T* to = panel + inner_ * Tiles::kPitch + across_;
    if (!along_inner_) return store_pack(to, pack);
#pragma unroll
    for (int i = 0; i < Tiles::kSize; ++i) to[i * Tiles::kPitch] = pack.values[i];
  }

 private:
  bool along_inner_, packed_;
  int across_, inner_;  // of the pack in the panel
  int across_left_;     // from there to the factor's edge
  const T* next_;
  int64_t step_;
};

/// Block x: a tile of C, of all tiles of all slices of all matrices.
template <class T, class Tiles>
__global__ void __launch_bounds__(kThreads, 2)
    gemm_kernel(GemmPlan plan, const T* a, const T* b, T* c) {
  constexpr int kSize = Tiles::kSize, kMicro = Tiles::kMicro, kGroups = Tiles::kGroups;
  PADE_SHARED(Pack<T>, panels, [2][2][Tiles::kPanel / kSize]);
  auto panel_of = [&](int step, int factor) {
    return reinterpret_cast<T*>(panels[step % 2][factor]);
  };
  const GemmShape& shape = plan.shape;
  const unsigned tile = blockIdx.x % plan.tiles, slice = blockIdx.x / plan.tiles % plan.slices;
  const int64_t matrix = blockIdx.x / plan.tiles / plan.slices;
  const int64_t first_row = int64_t{tile / plan.tiles_across} * Tiles::kTile;
  const int64_t first_column = int64_t{tile % plan.tiles_across} * Tiles::kTile;
  const int64_t first_inner = slice * plan.slice_depth;
  const int rows = static_cast<int>(min(int64_t{Tiles::kTile}, shape.rows - first_row));
  const int columns = static_cast<int>(min(int64_t{Tiles::kTile}, shape.columns - first_column));
  int inner_left = static_cast<int>(min(plan.slice_depth, shape.inner - first_inner));

  PanelCopy<T, Tiles> copy_a(a + matrix * shape.a_batch, shape.a_stride, !shape.transpose_a,
                             plan.a_packed, first_row, first_inner, rows);
  PanelCopy<T, Tiles> copy_b(b + matrix * shape.b_batch, shape.b_stride, shape.transpose_b,
                             plan.b_packed, first_column, first_inner, columns);
  c += (slice * shape.batch + matrix) * shape.c_batch + first_row * shape.c_stride + first_column;
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  const int row = warp / 2 * 4 * kMicro + lane / 8 * kSize;
  const int column = warp % 2 * 8 * kMicro + lane % 8 * kSize;
  T sums[kMicro][kMicro] = {};

  copy_a.store(panel_of(0, 0), copy_a.load(inner_left));
  copy_b.store(panel_of(0, 1), copy_b.load(inner_left));
  __syncthreads();
  for (int step = 0; inner_left > 0; ++step) {
    inner_left -= Tiles::kDepth;
    const Pack<T> next_a = copy_a.load(inner_left);  // on their way while this step computes;
    const Pack<T> next_b = copy_b.load(inner_left);  // zeros in the end
    const T* from_a = panel_of(step, 0) + row;
    const T* from_b = panel_of(step, 1) + column;
#pragma unroll(Tiles::kUnroll)
    for (int k = 0; k < Tiles::kDepth; ++k) {
      Pack<T> left[kGroups], right[kGroups];
#pragma unroll
      for (int g = 0; g < kGroups; ++g) {
        left[g] = load_pack<kSize>(from_a + k * Tiles::kPitch + g * Tiles::kRowStep);
        right[g] = load_pack<kSize>(from_b + k * Tiles::kPitch + g * Tiles::kColumnStep);
      }
#pragma unroll
      for (int i = 0; i < kMicro; ++i)
#pragma unroll
        for (int j = 0; j < kMicro; ++j)
          sums[i][j] += left[i / kSize].values[i % kSize] * right[j / kSize].values[j % kSize];
    }
    copy_a.store(panel_of(step + 1, 0), next_a);
    copy_b.store(panel_of(step + 1, 1), next_b);
    __syncthreads();
  }

#pragma unroll
  for (int i = 0; i < kMicro; ++i) {
    const int c_row = row + i / kSize * Tiles::kRowStep + i % kSize;
    if (c_row >= rows) continue;
#pragma unroll
    for (int g = 0; g < kGroups; ++g) {
      const int c_column = column + g * Tiles::kColumnStep;
      const int left = columns - c_column;
      T* to = c + c_row * shape.c_stride + c_column;
      Pack<T> result;
#pragma unroll
      for (int k = 0; k < kSize; ++k) result.values[k] = sums[i][g * kSize + k];
      if (shape.accumulate) {
        const Pack<T> old = load_up_to<kSize>(to, left, plan.c_packed);
#pragma unroll
        for (int k = 0; k < kSize; ++k) result.values[k] += old.values[k];
      }
      store_up_to(to, left, plan.c_packed, result);
    }
  }
}

/// Of element i of C, counted over all its matrices.
template <class T>
struct StoreTerms {
  GemmShape shape;
  T* c;

  __device__ void operator()(int64_t i, double sum) const {
    const int64_t matrix = shape.rows * shape.columns;
    T& to = c[i / matrix * shape.c_batch + i % matrix / shape.columns * shape.c_stride +
              i % matrix % shape.columns];
    to = static_cast<T>(shape.accumulate ? sum + to : sum);
  }
};

constexpr int64_t kEnoughBlocks = 264;   // two for each multiprocessor of an H100
constexpr int64_t kShortestSlice = 256;  // steps of the inner axis that are worth a block

template <class T>
bool is_packed(const T* first, int64_t stride, int64_t batch_stride) {
  return is_pack_aligned(first) && stride % kPackSize<T> == 0 && batch_stride % kPackSize<T> == 0;
}

template <class Tiles>
int64_t tiles_of(const GemmShape& shape) {
  return blocks_of(shape.rows, Tiles::kTile) * blocks_of(shape.columns, Tiles::kTile);
}

template <class T, class Tiles>
void multiply(const GemmShape& shape, const T* a, const T* b, T* c) {
  GemmPlan plan{.shape = shape};
  plan.tiles = static_cast<unsigned>(tiles_of<Tiles>(shape));
  plan.tiles_across = static_cast<unsigned>(blocks_of(shape.columns, Tiles::kTile));
  // Steps of a slice are counted in 32 bits.
  int64_t slices = std::clamp(kEnoughBlocks / (plan.tiles * shape.batch), 1 + (shape.inner >> 30),
                              std::max<int64_t>(1, shape.inner / kShortestSlice));
  plan.slice_depth = blocks_of(blocks_of(shape.inner, slices), Tiles::kDepth) * Tiles::kDepth;
  if (slices > 1) slices = blocks_of(shape.inner, plan.slice_depth);
  plan.slices = static_cast<unsigned>(slices);
  plan.a_packed = is_packed(a, shape.a_stride, shape.a_batch);
  plan.b_packed = is_packed(b, shape.b_stride, shape.b_batch);
  auto launch_into = [&](T* result) {
    plan.c_packed = is_packed(result, plan.shape.c_stride, plan.shape.c_batch);
    launch("matmul", static_cast<unsigned>(plan.tiles * plan.slices * shape.batch),
           gemm_kernel<T, Tiles>, plan, a, b, result);
  };
  if (plan.slices == 1) return launch_into(c);
  plan.shape.accumulate = false;
  plan.shape.c_stride = shape.columns;
  plan.shape.c_batch = shape.rows * shape.columns;
  Tensor terms =
      Tensor::empty({plan.slices, shape.batch * plan.shape.c_batch}, dtype_of<T>(), Device::cuda);
  launch_into(terms.mutable_address<T>());
  sum_terms(shape, plan.slices, terms.address<T>(), c);
}

}  // namespace

// ---------------------------------------------------------------------------------- launchers

template <class T>
void gemm_without_cublas(const GemmShape& shape, const T* a, const T* b, T* c) {
  if (shape.rows == 0 || shape.columns == 0 || shape.batch == 0) return;
  if constexpr (sizeof(T) == sizeof(float)) {  // float64 has no registers for the larger tiles
    using Large = Tiling<T, 8>;
    const bool fills = std::min(shape.rows, shape.columns) > Large::kTile / 2;
    if (fills && tiles_of<Large>(shape) * shape.batch >= kEnoughBlocks / 2)
      return multiply<T, Large>(shape, a, b, c);
  }
  multiply<T, Tiling<T, 4>>(shape, a, b, c);
}

template <class T>
void sum_terms(const GemmShape& shape, int64_t count, const T* terms, T* c) {
  const int64_t elements = shape.rows * shape.columns * shape.batch;
  const LoopNest nest = loop_over({count, elements}, {{count, elements}, {elements}});
  reduce<Sum>("matmul", Identity{}, nest, 1, StoreTerms<T>{shape, c}, terms);
}

template void gemm_without_cublas(const GemmShape&, const float*, const float*, float*);
template void gemm_without_cublas(const GemmShape&, const double*, const double*, double*);
template void sum_terms(const GemmShape&, int64_t, const float*, float*);
template void sum_terms(const GemmShape&, int64_t, const double*, double*);

}  // namespace pade::cuda
