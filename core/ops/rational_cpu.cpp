#include <algorithm>
#include <cstring>
#include <vector>

#include <pade/core/lanes.h>
#include <pade/core/ops/rational_kernels.h>
#include <pade/core/ops/rational_math.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

using rational_math::Coefficients;
using rational_math::far_point;
using rational_math::FarPoint;
using rational_math::Instance;

/// A strip is what is tested for far values, evaluated, and summed in x's own precision, at once.
constexpr int64_t kStrip = 512;
/// A block is what a thread takes: its coefficient sums are kept in float64.
constexpr int64_t kBlock = 16 * kStrip;

constexpr int kMaxCoefficients = 2 * kMaxDegree + 1;

/// c_0 … c_m then d_1 … d_n.
using Sums = std::array<double, kMaxCoefficients>;

/// One group's coefficients as the formulas want them, in x's precision and in float64.
template <class T>
struct Function {
  Coefficients<T> near;
  Coefficients<double> far;
  RationalForm form;
  int m, n;
};

template <class T>
Function<T> make_function(const RationalProblem& problem, int degree, const T* c, const T* d) {
  const MonicRecurrence monic = monic_recurrence_of(problem.options.basis);
  const bool termwise = problem.options.form == RationalForm::termwise;
  Coefficients<double> far{};
  far.sign = monic.sign;
  std::copy(monic.shift.begin(), monic.shift.end(), far.shift);
  std::copy(monic.drop.begin(), monic.drop.end(), far.drop);
  for (int i = 0; i <= problem.m; ++i) far.numerator[i] = c[i] * monic.scale[i];
  for (int j = 1; j <= problem.n; ++j)
    far.denominator[j] = (termwise ? std::abs(d[j - 1]) : d[j - 1]) * monic.scale[j];
  far.limit =
      rational_math::ordinary_limit(monic, degree, sizeof(T) == sizeof(float) ? 1e16 : 1e100);

  Coefficients<T> near{};
  near.sign = static_cast<T>(far.sign);
  near.limit = static_cast<T>(far.limit);
  std::copy(std::begin(far.shift), std::end(far.shift), near.shift);
  std::copy(std::begin(far.drop), std::end(far.drop), near.drop);
  std::copy(std::begin(far.numerator), std::end(far.numerator), near.numerator);
  std::copy(std::begin(far.denominator), std::end(far.denominator), near.denominator);
  return {near, far, problem.options.form, problem.m, problem.n};
}

/// False also when there is a NaN.
template <class T>
bool all_within(const T* x, int64_t count, T limit) {
  int outside = 0;
  for (int64_t i = 0; i < count; ++i) outside |= !(std::abs(x[i]) <= limit);
  return !outside;
}

/// One group's elements in a tensor seen as [outer, groups, run]: its `first`-th to `first +
/// count`-th are copied to or from a strip that is contiguous.
struct GroupView {
  int64_t groups, run, group;

  template <class F>
  void for_each_run(int64_t first, int64_t count, F&& f) const {
    for (int64_t done = 0; done < count;) {
      const int64_t outer = (first + done) / run, within = (first + done) % run;
      const int64_t length = std::min(run - within, count - done);
      f((outer * groups + group) * run + within, done, length);
      done += length;
    }
  }
  template <class T>
  const T* gather(const T* tensor, int64_t first, int64_t count, T* strip) const {
    if (groups == 1) return tensor + first;
    for_each_run(first, count, [&](int64_t from, int64_t to, int64_t length) {
      std::copy_n(tensor + from, length, strip + to);
    });
    return strip;
  }
  template <class T>
  void scatter(const T* strip, int64_t first, int64_t count, T* tensor) const {
    for_each_run(first, count, [&](int64_t to, int64_t from, int64_t length) {
      std::copy_n(strip + from, length, tensor + to);
    });
  }
};

template <class Formula, class T>
void evaluate_strip(const Function<T>& function, const T* x, T* y, int64_t count) {
  if (!all_within(x, count, function.near.limit)) {
    for (int64_t i = 0; i < count; ++i)
      y[i] = static_cast<T>(
          far_point(function.far, function.form, function.m, function.n, x[i]).value);
    return;
  }
  const Coefficients<T> k = function.near;  // a copy of our own can stay in registers
  constexpr int kLanes = kLaneCount<T>;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    store_lanes<T>(y + i, Formula::value(k, load_lanes(x + i)));
  if (i < count) {
    const Lanes<T> tail = load_lanes(x + i, count - i, x[i]);
    store_lanes<T>(y + i, Formula::value(k, tail), count - i);
  }
}

/// dx, and the strip's contribution to Σ dy f_i/Q and Σ dy G/Q · ∂Q/∂d_j.
template <class Formula, class T>
void differentiate_near(const Coefficients<T> k, int m, int n, const T* x, const T* dy, T* dx,
                        int64_t count, Sums& sums) {
  constexpr int kLanes = kLaneCount<T>;
  constexpr int kM = Formula::kNumerator, kN = Formula::kDenominator;
  Lanes<T> of_c[kM + 1] = {}, of_d[kN + 1] = {};
  auto step = [&](Lanes<T> at_x, Lanes<T> upstream) __attribute__((always_inline)) {
    const auto at = Formula::point(k, at_x);
    const Lanes<T> weight = upstream * at.inverse;
    of_c[0] += weight;
#pragma GCC unroll 8
    for (int i = 1; i <= kM; ++i) of_c[i] += weight * at.e[i];
    const Lanes<T> value_weight = weight * at.value;
#pragma GCC unroll 8
    for (int j = 1; j <= kN; ++j) of_d[j] += value_weight * at.of_q[j];
    return upstream * at.slope;
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    store_lanes<T>(dx + i, step(load_lanes(x + i), load_lanes(dy + i)));
  if (i < count) {
    const int64_t rest = count - i;
    const Lanes<T> at_x = load_lanes(x + i, rest, x[i]), upstream = load_lanes(dy + i, rest, T{0});
    store_lanes<T>(dx + i, step(at_x, upstream), rest);
  }
  for (int c = 0; c <= m; ++c) sums[c] += sum_lanes<T>(of_c[c]);
  for (int d = 1; d <= n; ++d) sums[m + d] += sum_lanes<T>(of_d[d]);
}

template <class T>
void differentiate_far(const Function<T>& function, const T* x, const T* dy, T* dx, int64_t count,
                       Sums& sums) {
  for (int64_t i = 0; i < count; ++i) {
    const FarPoint at = far_point(function.far, function.form, function.m, function.n, x[i]);
    dx[i] = static_cast<T>(dy[i] * at.slope);
    for (int c = 0; c <= function.m; ++c) sums[c] += dy[i] * at.of_c[c];
    for (int d = 1; d <= function.n; ++d) sums[function.m + d] += dy[i] * at.of_d[d];
  }
}

/// Calls f with the smallest instance that the degrees fit in.
template <RationalForm kForm, bool kShifted, class F>
void with_degrees(int m, int n, F&& f) {
  if (m <= 3 && n <= 2) return f(Instance<kForm, kShifted, 3, 2>{});
  if (m <= 5 && n <= 4) return f(Instance<kForm, kShifted, 5, 4>{});
  return f(Instance<kForm, kShifted, kMaxDegree, kMaxDegree>{});
}

template <RationalForm kForm, class F>
void with_basis(const RationalProblem& problem, F&& f) {
  if (monic_recurrence_of(problem.options.basis).is_symmetric())
    return with_degrees<kForm, false>(problem.m, problem.n, f);
  return with_degrees<kForm, true>(problem.m, problem.n, f);
}

template <class F>
void with_instance(const RationalProblem& problem, F&& f) {
  switch (problem.options.form) {
    case RationalForm::termwise: return with_basis<RationalForm::termwise>(problem, f);
    case RationalForm::whole_sum: return with_basis<RationalForm::whole_sum>(problem, f);
    case RationalForm::unsafe: return with_basis<RationalForm::unsafe>(problem, f);
  }
}

template <class T>
std::vector<Function<T>> make_functions(const RationalProblem& problem, int degree, const T* c,
                                        const T* d) {
  std::vector<Function<T>> functions;
  for (int64_t g = 0; g < problem.groups; ++g)
    functions.push_back(make_function(problem, degree, c + g * (problem.m + 1), d + g * problem.n));
  return functions;
}

/// Calls f(group, block of that group, first element, end) for fixed blocks of every group.
template <class F>
void for_each_block(const RationalProblem& problem, F&& f) {
  const int64_t size = problem.outer * problem.run;
  const int64_t blocks = blocks_of(size, kBlock);
  parallel_blocks(problem.groups * blocks, [&](int64_t i) {
    const int64_t first = i % blocks * kBlock;
    f(i / blocks, i, first, std::min(size, first + kBlock));
  });
}

template <class Formula, class T>
void forward(const RationalProblem& problem, const T* x, const T* c, const T* d, T* y) {
  const auto functions = make_functions(problem, Formula::kTop, c, d);
  for_each_block(problem, [&](int64_t group, int64_t, int64_t first, int64_t end) {
    const GroupView view{problem.groups, problem.run, group};
    T x_strip[kStrip], y_strip[kStrip];
    for (int64_t begin = first; begin < end; begin += kStrip) {
      const int64_t count = std::min(kStrip, end - begin);
      const T* in = view.gather(x, begin, count, x_strip);
      T* out = problem.groups == 1 ? y + begin : y_strip;
      evaluate_strip<Formula>(functions[group], in, out, count);
      if (out == y_strip) view.scatter(y_strip, begin, count, y);
    }
  });
}

/// Adds up the blocks of each group in order and undoes the scaling of the monic form.
template <class T>
void finish_sums(const RationalProblem& problem, const std::vector<Sums>& partial, const T* d,
                 T* dc, T* dd) {
  const MonicRecurrence monic = monic_recurrence_of(problem.options.basis);
  const int64_t blocks = problem.groups ? static_cast<int64_t>(partial.size()) / problem.groups : 0;
  for (int64_t g = 0; g < problem.groups; ++g) {
    Sums total{};
    for (int64_t b = 0; b < blocks; ++b)
      for (int k = 0; k < kMaxCoefficients; ++k) total[k] += partial[g * blocks + b][k];
    for (int i = 0; i <= problem.m; ++i)
      dc[g * (problem.m + 1) + i] = static_cast<T>(total[i] * monic.scale[i]);
    for (int j = 0; j < problem.n; ++j) {
      const int64_t at = g * problem.n + j;
      const bool negative = problem.options.form == RationalForm::termwise && d[at] < 0;
      const double scale = monic.scale[j + 1] * (negative ? 1 : -1);
      dd[at] = static_cast<T>(total[problem.m + 1 + j] * scale);
    }
  }
}

template <class Formula, class T>
void backward(const RationalProblem& problem, const T* x, const T* c, const T* d, const T* dy,
              T* dx, T* dc, T* dd) {
  const auto functions = make_functions(problem, Formula::kTop, c, d);
  const int64_t blocks = blocks_of(problem.outer * problem.run, kBlock);
  std::vector<Sums> partial(problem.groups * blocks, Sums{});
  for_each_block(problem, [&](int64_t group, int64_t block, int64_t first, int64_t end) {
    const Function<T>& function = functions[group];
    const GroupView view{problem.groups, problem.run, group};
    T x_strip[kStrip], dy_strip[kStrip], dx_strip[kStrip];
    Sums sums{};
    for (int64_t begin = first; begin < end; begin += kStrip) {
      const int64_t count = std::min(kStrip, end - begin);
      const T* in = view.gather(x, begin, count, x_strip);
      const T* upstream = view.gather(dy, begin, count, dy_strip);
      T* out = problem.groups == 1 ? dx + begin : dx_strip;
      if (all_within(in, count, function.near.limit))
        differentiate_near<Formula>(function.near, problem.m, problem.n, in, upstream, out, count,
                                    sums);
      else
        differentiate_far(function, in, upstream, out, count, sums);
      if (out == dx_strip) view.scatter(dx_strip, begin, count, dx);
    }
    partial[block] = sums;
  });
  finish_sums(problem, partial, d, dc, dd);
}

}  // namespace

void rational_forward(const RationalProblem& problem, const Tensor& x, const Tensor& numerator,
                      const Tensor& denominator, Tensor& y) {
  dispatch_floating(x.dtype(), "rational", [&](auto zero) {
    using T = decltype(zero);
    with_instance(problem, [&](auto formula) {
      forward<decltype(formula)>(problem, x.data<T>(), numerator.data<T>(), denominator.data<T>(),
                                 y.mutable_data<T>());
    });
  });
}

void rational_backward(const RationalProblem& problem, const Tensor& x, const Tensor& numerator,
                       const Tensor& denominator, const Tensor& dy, Tensor& dx, Tensor& dnumerator,
                       Tensor& ddenominator) {
  dispatch_floating(x.dtype(), "rational", [&](auto zero) {
    using T = decltype(zero);
    with_instance(problem, [&](auto formula) {
      backward<decltype(formula)>(problem, x.data<T>(), numerator.data<T>(), denominator.data<T>(),
                                  dy.data<T>(), dx.mutable_data<T>(), dnumerator.mutable_data<T>(),
                                  ddenominator.mutable_data<T>());
    });
  });
}

}  // namespace pade::cpu
