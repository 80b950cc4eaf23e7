#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>

#include <pade/core/kernels/math/rational.h>
#include <pade/core/kernels/math/rational_large_x.h>
#include <pade/core/kernels/problems.h>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda {
namespace {

using rational_math::Coefficients;
using rational_math::far_point;
using rational_math::FarFunction;
using rational_math::FarPoint;
using rational_math::Polynomials;

/// A thread's float32 sums take in the elements of so many accesses, and float64 sums the rest.
constexpr int kMaxTurns = 16;
/// Of a grid, along y.
constexpr int64_t kMaxBlocksOfGroup = 65535;
/// What a walk counts a longer run as: more than a block takes.
constexpr int kLongRun = 1 << 30;

/// How x, seen as [outer, groups, run], is shared out: groups along the grid's x, and the elements
/// of a group along its y. A thread makes `turns` accesses, each of kWidth elements that lie side
/// by side in x; a block's accesses are side by side in its group.
struct Split {
  int64_t groups, run;
  int64_t size;  // outer · run: the elements of one group
  int blocks;    // of one group
  int turns;
  int within_step;        // how far a thread's next access is in its run …
  int64_t position_step;  // … and in x, where the run does not end before

  dim3 grid() const { return {static_cast<unsigned>(groups), static_cast<unsigned>(blocks)}; }
};

template <int kWidth>
Split split_of(const RationalProblem& problem) {
  constexpr int64_t kStep = kThreads * kWidth;
  Split split{problem.groups, problem.run, problem.outer * problem.run, 0, 0, 0, 0};
  if (split.groups * split.size == 0) return split;
  const int64_t steps = blocks_of(split.size, kStep);
  const int64_t turns = std::clamp<int64_t>(steps * split.groups / kMaxBlocks, 1, kMaxTurns);
  split.turns = static_cast<int>(std::max(turns, blocks_of(steps, kMaxBlocksOfGroup)));
  split.blocks = static_cast<int>(blocks_of(steps, split.turns));
  split.within_step = static_cast<int>(kStep % split.run);
  split.position_step = kStep / split.run * split.groups * split.run + split.within_step;
  return split;
}

/// The accesses of one thread: for (Walk<kWidth> at(split); at.in_block > 0; at.advance(split)) …
template <int kWidth>
struct Walk {
  int64_t position;      // in x
  int in_block, in_run;  // elements from here to the end of the block's, and of the run

  __device__ explicit Walk(const Split& split) {
    const int64_t size = int64_t{split.turns} * kThreads * kWidth;
    const int64_t first = blockIdx.y * size;
    const int offset = static_cast<int>(threadIdx.x) * kWidth;
    in_block = static_cast<int>(std::min(size, split.size - first)) - offset;
    const int64_t outer = (first + offset) / split.run, within = (first + offset) % split.run;
    position = (outer * split.groups + blockIdx.x) * split.run + within;
    in_run = static_cast<int>(std::min(split.run - within, int64_t{kLongRun}));
  }
  __device__ void advance(const Split& split) {
    position += split.position_step;
    in_block -= kThreads * kWidth;
    in_run -= split.within_step;
    if (in_run > 0) return;
    position += (split.groups - 1) * split.run;
    in_run += static_cast<int>(std::min(split.run, int64_t{kLongRun}));
  }

  /// The elements of an access; those beyond the last are 0.
  template <class T>
  __device__ __forceinline__ Pack<T, kWidth> load(const T* from) const {
    return load_up_to<kWidth>(from + position, in_block, true);
  }
  template <class T>
  __device__ __forceinline__ void store(T* to, const Pack<T, kWidth>& pack) const {
    store_up_to(to + position, in_block, true, pack);
  }
};

/// False also when there is a NaN.
template <int kWidth, class T>
__device__ __forceinline__ bool all_within(const Pack<T, kWidth>& pack, T limit) {
  bool all = true;
#pragma unroll
  for (T x : pack.values) all &= std::abs(x) <= limit;
  return all;
}

/// What is the same for all groups.
template <class T>
struct Plan {
  Split split;
  int m, n;
  int first;  // of the denominator, which begins with d_first
  bool termwise;
  Polynomials<T> near;
  MonicRecurrence far;
};

/// Calls f(i, function) for each element of those accesses of this thread that hold a far value.
/// The loops over all accesses leave these out, and this is called after them, only where there are
/// some: so it costs those loops no registers.
template <class Formula, int kWidth, class T, class F>
__device__ __forceinline__ void for_each_far(const Plan<T>& plan, const T* x, const T* c,
                                             const T* d, F&& f) {
  const FarFunction<T> function{plan.far, Formula::kForm, plan.m, plan.n, c, d};
#pragma unroll 1
  for (Walk<kWidth> at(plan.split); at.in_block > 0; at.advance(plan.split)) {
    if (all_within(at.load(x), plan.near.limit)) continue;
#pragma unroll 1
    for (int k = 0; k < kWidth; ++k)
      if (k < at.in_block) f(at.position + k, function);
  }
}

template <class Formula, int kWidth, class T>
__global__ void __launch_bounds__(kThreads, kWidth > 1 ? 5 : 4)
    rational_forward_kernel(const __grid_constant__ Plan<T> plan, const T* x, const T* c,
                            const T* d, T* y) {
  c += int64_t{blockIdx.x} * (plan.m + 1);  // the coefficients of this block's group
  d += int64_t{blockIdx.x} * (plan.n + 1 - Formula::kFirst);
  const Coefficients<T> k = Formula::coefficients(plan.near, plan.m, plan.n, c, d);
  bool met_far = false;
  for (Walk<kWidth> at(plan.split); at.in_block > 0; at.advance(plan.split)) {
    Pack<T, kWidth> pack = at.load(x);
    if (!all_within(pack, plan.near.limit)) {
      met_far = true;
      continue;
    }
#pragma unroll
    for (T& value : pack.values) value = Formula::value(k, value);
    at.store(y, pack);
  }
  if (!met_far) return;
  for_each_far<Formula, kWidth>(plan, x, c, d, [&](int64_t i, const FarFunction<T>& function) {
    y[i] = static_cast<T>(far_point(function, x[i]).value);
  });
}

/// How many blocks share a multiprocessor. With d_0, which is one coefficient and one sum more, 64
/// registers, with which four of them do, are not enough.
template <class Formula, class T>
constexpr int kBackwardBlocks = sizeof(T) > sizeof(float) ? 2
                                : Formula::kFirst == 1    ? 4
                                                          : 3;

/// Writes dx, and of every block the sums that differentiate() adds up, coefficient by coefficient:
/// partial[group, coefficient, block of the group].
template <class Formula, int kWidth, class T>
__global__ void __launch_bounds__(kThreads, (kBackwardBlocks<Formula, T>))
    rational_backward_kernel(const __grid_constant__ Plan<T> plan, const T* x, const T* c,
                             const T* d, const T* dy, T* dx, double* partial) {
  constexpr int kM = Formula::kNumerator, kN = Formula::kDenominator;
  constexpr int kFirst = Formula::kFirst, kDenominators = kN + 1 - kFirst;
  PADE_SHARED(double, sums, [kM + 1 + kDenominators][kThreads]);
  c += int64_t{blockIdx.x} * (plan.m + 1);  // the coefficients of this block's group
  d += int64_t{blockIdx.x} * (plan.n + 1 - Formula::kFirst);
  const Coefficients<T> k = Formula::coefficients(plan.near, plan.m, plan.n, c, d);
  // The row of sums of a coefficient of the plan, which may have fewer of them.
  const auto row = [&](int k) { return k <= plan.m ? k : kM + k - plan.m; };
  T of_c[kM + 1] = {}, of_d[kN + 1] = {};
  bool met_far = false;
  for (Walk<kWidth> at(plan.split); at.in_block > 0; at.advance(plan.split)) {
    Pack<T, kWidth> pack = at.load(x);
    const Pack<T, kWidth> dys = at.load(dy);
    if (!all_within(pack, plan.near.limit)) {
      met_far = true;
      continue;
    }
#pragma unroll
    for (int i = 0; i < kWidth; ++i)
      pack.values[i] = Formula::differentiate(k, pack.values[i], dys.values[i], of_c, of_d);
    at.store(dx, pack);
  }

#pragma unroll
  for (int i = 0; i <= kM; ++i) sums[i][threadIdx.x] = of_c[i];
#pragma unroll
  for (int j = kFirst; j <= kN; ++j) sums[kM + 1 + j - kFirst][threadIdx.x] = of_d[j];
  if (met_far)
    for_each_far<Formula, kWidth>(plan, x, c, d, [&](int64_t i, const FarFunction<T>& function) {
      const FarPoint at = far_point(function, x[i]);
      dx[i] = static_cast<T>(dy[i] * at.slope);
      far_gradients(function, x[i], at,
                    [&](int k, double gradient) { sums[row(k)][threadIdx.x] += dy[i] * gradient; });
    });
  __syncthreads();
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  const int count = plan.m + 2 + plan.n - kFirst;
#pragma unroll 1
  for (int k = warp; k < count; k += kThreads / kWarpSize) {
    const double* of_threads = sums[row(k)];
    double sum = 0;
#pragma unroll
    for (int thread = 0; thread < kThreads; thread += kWarpSize) sum += of_threads[thread + lane];
    sum = warp_sum(sum);
    if (lane == 0) partial[int64_t{blockIdx.x * count + k} * plan.split.blocks + blockIdx.y] = sum;
  }
}

/// Takes the sum of a coefficient's gradient, and undoes the scaling of the monic form.
template <class T>
struct StoreGradient {
  Plan<T> plan;
  const T* d;
  T *dc, *dd;

  __device__ void operator()(int64_t i, double sum) const {
    const int denominators = plan.n + 1 - plan.first, count = plan.m + 1 + denominators;
    const int64_t group = i / count;
    const int k = static_cast<int>(i % count);
    if (k <= plan.m) {
      dc[group * (plan.m + 1) + k] = static_cast<T>(sum * plan.far.scale[k]);
    } else {
      const int j = k - plan.m - 1;  // counted from the first
      const int64_t at = group * denominators + j;
      const double scale = plan.far.scale[j + plan.first];
      dd[at] = static_cast<T>(sum * (plan.termwise && d[at] < 0 ? scale : -scale));
    }
  }
};

// ---------------------------------------------------------------------------------- launchers

template <class T, class Formula, int kWidth>
Plan<T> plan_of(const RationalProblem& problem) {
  const MonicRecurrence monic = monic_recurrence_of(problem.options.basis);
  return {split_of<kWidth>(problem),
          problem.m,
          problem.n,
          problem.first(),
          Formula::kForm == RationalForm::termwise,
          rational_math::polynomials_of<T>(monic, Formula::kTop),
          monic};
}

/// Calls f(formula, width) with the instances that stand for this problem. Those that move 16 bytes
/// at once are made for float32 and each pair of degrees; views that begin anywhere, runs of any
/// length, and float64, which is for gradient checks and fits, take the one for all degrees.
template <class T, class F>
void with_kernel(const RationalProblem& problem, bool aligned, F&& f) {
  rational_math::with_form(problem.options, [&](auto form, auto shifted) {
    if constexpr (std::is_same_v<T, float>) {
      constexpr int kWidth = kPackSize<T>;
      if (aligned && (problem.groups == 1 || problem.run % kWidth == 0))
        return rational_math::with_degrees<form.value, shifted.value>(
            problem.m, problem.n,
            [&](auto formula) { f(formula, std::integral_constant<int, kWidth>{}); });
    }
    f(rational_math::Instance<form.value, shifted.value, kMaxDegree, kMaxDegree>{},
      std::integral_constant<int, 1>{});
  });
}

}  // namespace

void rational_forward(const RationalProblem& problem, const Tensor& x,
                      std::span<const Tensor> parameters, Tensor& y) {
  dispatch_floating(x.dtype(), "rational", [&]<class T>(T) {
    const T *in = x.address<T>(), *c = parameters[0].address<T>(), *d = parameters[1].address<T>();
    T* out = y.mutable_address<T>();
    with_kernel<T>(problem, is_pack_aligned(in, out), [&]<class Formula>(Formula, auto width) {
      const auto plan = plan_of<T, Formula, width.value>(problem);
      launch("rational", plan.split.grid(), rational_forward_kernel<Formula, width.value, T>, plan,
             in, c, d, out);
    });
  });
}

void rational_backward(const RationalProblem& problem, const Tensor& x,
                       std::span<const Tensor> parameters, const Tensor& dy, Tensor& dx,
                       std::span<Tensor> gradients) {
  dispatch_floating(x.dtype(), "rational", [&]<class T>(T) {
    const T *in = x.address<T>(), *c = parameters[0].address<T>(), *d = parameters[1].address<T>();
    const T* dys = dy.address<T>();
    T* out = dx.mutable_address<T>();
    with_kernel<T>(problem, is_pack_aligned(in, dys, out), [&]<class Formula>(Formula, auto width) {
      const auto plan = plan_of<T, Formula, width.value>(problem);
      const int64_t sums = problem.groups * (problem.m + 1 + problem.denominators());
      Tensor partial = partial_sums(sums, plan.split.blocks);
      launch("backward of rational", plan.split.grid(),
             rational_backward_kernel<Formula, width.value, T>, plan, in, c, d, dys, out,
             partial.mutable_address<double>());
      if (gradients.empty()) return;
      sum_partials("backward of rational", partial.address<double>(), sums, plan.split.blocks,
                   StoreGradient<T>{plan, d, gradients[0].mutable_address<T>(),
                                    gradients[1].mutable_address<T>()});
    });
  });
}

}  // namespace pade::cuda
