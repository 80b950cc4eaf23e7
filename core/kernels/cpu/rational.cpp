#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include <pade/core/kernels/cpu/fusion.h>
#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/kernels/math/rational.h>
#include <pade/core/kernels/math/rational_large_x.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

using rational_math::Coefficients;
using rational_math::far_point;
using rational_math::FarFunction;
using rational_math::FarPoint;

/// A block is what a thread takes: its coefficient sums are kept in float64. Its strips are tested
/// for far values, evaluated, and summed in x's own precision, each at once.
constexpr int64_t kBlock = 16 * kStrip;
/// What a strip takes once, for its sums and the coefficients in every lane, is a tenth of the time
/// that the gradient of kStrip elements takes.
constexpr int64_t kLongStrip = 2 * kStrip;

constexpr int kMaxCoefficients = 2 * (kMaxDegree + 1);

/// For c_0 … c_m then d_first … d_n.
using Sums = std::array<double, kMaxCoefficients>;

/// The same for each lane, at `sums`: what a strip adds up in x's precision is added to these.
template <class T>
struct LaneSums {
  static constexpr int kCount = kMaxCoefficients * kLaneCount<T>;
  double* sums;

  void add(int k, const Lanes<T>& of_strip) const {
    const T* from = reinterpret_cast<const T*>(&of_strip);
    double* to = sums + k * kLaneCount<T>;
    for (int lane = 0; lane < kLaneCount<T>; lane += kLaneCount<double>)
      store_lanes<double>(to + lane, load_lanes(to + lane) + load_widened(from + lane));
  }
  void add_one(int k, double value) const { sums[k * kLaneCount<T>] += value; }
  static Sums total(const double* sums) {
    constexpr int kLanes = kLaneCount<double>;
    Sums total{};
    for (int k = 0; k < kMaxCoefficients; ++k, sums += kLaneCount<T>) {
      Lanes<double> lanes = load_lanes(sums);
      for (int lane = kLanes; lane < kLaneCount<T>; lane += kLanes)
        lanes += load_lanes(sums + lane);
      total[k] = sum_lanes_in_pairs(lanes);
    }
    return total;
  }
};

/// One group's function as the formulas want it, near and far.
template <class T>
struct Function {
  Coefficients<T> near;
  FarFunction<T> far;
};

/// False also when there is a NaN: compared as integers, magnitudes are in order, and it is above.
template <class T>
bool all_within(const T* x, int64_t count, T limit) {
  using Bits = std::conditional_t<sizeof(T) == sizeof(int32_t), int32_t, int64_t>;
  constexpr Bits kMagnitude = std::numeric_limits<Bits>::max();
  Bits largest = 0;
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(largest, std::bit_cast<Bits>(x[i]) & kMagnitude);
  return largest <= std::bit_cast<Bits>(limit);
}

/// One group's elements in a tensor seen as [outer, groups, run], strip by strip: where they lie if
/// they are one run there, else copied to or from a strip that is contiguous.
struct GroupView {
  int64_t groups, run, group;

  /// How many elements from `first` on, and before `end`, are taken at once: of one run where runs
  /// are long enough.
  int64_t strip(int64_t first, int64_t end, int64_t most = kStrip) const {
    constexpr int64_t kLongRun = kStrip / 4;
    most = std::min(most, end - first);
    return groups > 1 && run >= kLongRun ? std::min(most, run - first % run) : most;
  }
  bool is_one_run(int64_t first, int64_t count) const {
    return groups == 1 || first % run + count <= run;
  }
  int64_t place(int64_t first) const {
    return groups == 1 ? first : (first / run * groups + group) * run + first % run;
  }
  template <class F>
  void for_each_run(int64_t first, int64_t count, F&& f) const {
    for (int64_t done = 0, length; done < count; done += length) {
      length = std::min(run - (first + done) % run, count - done);
      f(place(first + done), done, length);
    }
  }
  template <class T>
  const T* gather(const T* tensor, int64_t first, int64_t count, T* strip) const {
    if (is_one_run(first, count)) return tensor + place(first);
    for_each_run(first, count, [&](int64_t from, int64_t to, int64_t length) {
      std::copy_n(tensor + from, length, strip + to);
    });
    return strip;
  }
  /// f(results): fills them, in their place or in `strip`.
  template <class T, class F>
  void scatter(T* tensor, int64_t first, int64_t count, T* strip, F&& f) const {
    if (is_one_run(first, count)) return f(tensor + place(first));
    f(strip);
    for_each_run(first, count, [&](int64_t to, int64_t from, int64_t length) {
      std::copy_n(strip + from, length, tensor + to);
    });
  }
};

/// kStreamed: y is written past the caches, and aligned.
template <class Formula, bool kStreamed = false, class T>
void evaluate_strip(const Function<T>& function, const T* x, T* y, int64_t count) {
  if (!all_within(x, count, function.near.basis.limit)) {
    for (int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(far_point(function.far, x[i]).value);
    return;
  }
  const Coefficients<T> k = function.near;  // a copy of our own can stay in registers
  constexpr int kLanes = kLaneCount<T>;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    put_lanes<kStreamed, T>(y + i, Formula::value(k, load_lanes(x + i)));
  if (i < count) {
    const Lanes<T> tail = load_lanes(x + i, count - i, x[i]);
    store_lanes<T>(y + i, Formula::value(k, tail), count - i);
  }
}

/// dx, and the strip's contribution to Σ dy f_i/Q and Σ dy G/Q · ∂Q/∂d_j.
template <class Formula, class T>
void differentiate_near(const Coefficients<T> k, int m, int n, const T* x, const T* dy, T* dx,
                        int64_t count, LaneSums<T> sums) {
  constexpr int kLanes = kLaneCount<T>;
  constexpr int kM = Formula::kNumerator, kN = Formula::kDenominator;
  Lanes<T> of_c[kM + 1] = {}, of_d[kN + 1] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    store_lanes<T>(dx + i,
                   Formula::differentiate(k, load_lanes(x + i), load_lanes(dy + i), of_c, of_d));
  if (i < count) {
    const int64_t rest = count - i;
    const Lanes<T> at_x = load_lanes(x + i, rest, x[i]), dys = load_lanes(dy + i, rest, T{0});
    store_lanes<T>(dx + i, Formula::differentiate(k, at_x, dys, of_c, of_d), rest);
  }
  for (int c = 0; c <= m; ++c) sums.add(c, of_c[c]);
  for (int d = Formula::kFirst; d <= n; ++d) sums.add(m + 1 + d - Formula::kFirst, of_d[d]);
}

template <class T>
void differentiate_far(const FarFunction<T>& function, const T* x, const T* dy, T* dx,
                       int64_t count, LaneSums<T> sums) {
  for (int64_t i = 0; i < count; ++i) {
    const FarPoint at = far_point(function, x[i]);
    dx[i] = static_cast<T>(dy[i] * at.slope);
    far_gradients(function, x[i], at, [&](int k, double g) { sums.add_one(k, dy[i] * g); });
  }
}

template <class Formula, class T>
void differentiate_strip(const Function<T>& function, const RationalProblem& problem, const T* x,
                         const T* dy, T* dx, int64_t count, LaneSums<T> sums) {
  if (all_within(x, count, function.near.basis.limit))
    return differentiate_near<Formula>(function.near, problem.m, problem.n, x, dy, dx, count, sums);
  if (count <= kStrip) return differentiate_far(function.far, x, dy, dx, count, sums);
  for (int64_t i = 0; i < count; i += kStrip)
    differentiate_strip<Formula>(function, problem, x + i, dy + i, dx + i,
                                 std::min(kStrip, count - i), sums);
}

template <class F>
void with_instance(const RationalProblem& problem, F&& f) {
  rational_math::with_form(problem.options, [&](auto form, auto shifted) {
    rational_math::with_degrees<form.value, shifted.value>(problem.m, problem.n, f);
  });
}

template <class Formula, class T>
std::vector<Function<T>> make_functions(const RationalProblem& problem,
                                        const MonicRecurrence& monic, const T* c, const T* d) {
  const auto polynomials = rational_math::polynomials_of<T>(monic, Formula::kTop);
  const int m = problem.m, n = problem.n;
  std::vector<Function<T>> functions;
  for (int64_t g = 0; g < problem.groups; ++g, c += m + 1, d += problem.denominators())
    functions.push_back(
        {Formula::coefficients(polynomials, m, n, c, d), {monic, Formula::kForm, m, n, c, d}});
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
  const MonicRecurrence monic = monic_recurrence_of(problem.options.basis);
  const auto functions = make_functions<Formula>(problem, monic, c, d);
  // The gradient below takes longer than its stores, which then gain nothing.
  const bool streamed = problem.groups == 1 && is_streamed<T>(problem.outer * problem.run, kStrip);
  for_each_block(problem, [&](int64_t group, int64_t, int64_t first, int64_t end) {
    const GroupView view{problem.groups, problem.run, group};
    T x_strip[kStrip], y_strip[kStrip];
    for (int64_t begin = first, count; begin < end; begin += count) {
      count = view.strip(begin, end);
      const T* in = view.gather(x, begin, count, x_strip);
      view.scatter(y, begin, count, y_strip, [&](T* out) {
        if (streamed)
          evaluate_strip<Formula, true>(functions[group], in, out, count);
        else
          evaluate_strip<Formula>(functions[group], in, out, count);
      });
    }
    if (streamed) finish_streaming();
  });
}

/// Adds up the blocks of each group in order and undoes the scaling of the monic form.
template <class T>
void finish_sums(const RationalProblem& problem, const MonicRecurrence& monic,
                 const std::vector<Sums>& partial, const T* d, T* dc, T* dd) {
  const int64_t blocks = problem.groups ? static_cast<int64_t>(partial.size()) / problem.groups : 0;
  for (int64_t g = 0; g < problem.groups; ++g) {
    Sums total{};
    for (int64_t b = 0; b < blocks; ++b)
      for (int k = 0; k < kMaxCoefficients; ++k) total[k] += partial[g * blocks + b][k];
    for (int i = 0; i <= problem.m; ++i)
      dc[g * (problem.m + 1) + i] = static_cast<T>(total[i] * monic.scale[i]);
    for (int j = 0; j < problem.denominators(); ++j) {
      const int64_t at = g * problem.denominators() + j;
      const bool negative = problem.options.form == RationalForm::termwise && d[at] < 0;
      const double scale = monic.scale[j + problem.first()] * (negative ? 1 : -1);
      dd[at] = static_cast<T>(total[problem.m + 1 + j] * scale);
    }
  }
}

template <class Formula, class T>
void backward(const RationalProblem& problem, const T* x, const T* c, const T* d, const T* dy,
              T* dx, T* dc, T* dd) {
  const MonicRecurrence monic = monic_recurrence_of(problem.options.basis);
  const auto functions = make_functions<Formula>(problem, monic, c, d);
  const int64_t blocks = blocks_of(problem.outer * problem.run, kBlock);
  std::vector<Sums> partial(problem.groups * blocks, Sums{});
  for_each_block(problem, [&](int64_t group, int64_t block, int64_t first, int64_t end) {
    const Function<T>& function = functions[group];
    const GroupView view{problem.groups, problem.run, group};
    T x_strip[kLongStrip], dy_strip[kLongStrip], dx_strip[kLongStrip];
    alignas(kLaneBytes) double sums[LaneSums<T>::kCount] = {};
    for (int64_t begin = first, count; begin < end; begin += count) {
      count = view.strip(begin, end, kLongStrip);
      const T* in = view.gather(x, begin, count, x_strip);
      const T* dys = view.gather(dy, begin, count, dy_strip);
      view.scatter(dx, begin, count, dx_strip, [&](T* out) {
        differentiate_strip<Formula, T>(function, problem, in, dys, out, count, {sums});
      });
    }
    partial[block] = LaneSums<T>::total(sums);
  });
  finish_sums(problem, monic, partial, d, dc, dd);
}

/// Points into the parameters, which must outlive it.
template <class Formula, class T>
class RationalStrip : public StripFunction<T> {
 public:
  RationalStrip(const RationalProblem& problem, const T* c, const T* d)
      : problem_(problem),
        monic_(monic_recurrence_of(problem.options.basis)),
        function_(make_functions<Formula>(problem, monic_, c, d)[0]) {}
  void forward(const T* x, T* y, int64_t count) const override {
    evaluate_strip<Formula>(function_, x, y, count);
  }
  void backward(const T* x, const T* dy, T* dx, int64_t count, double* sums) const override {
    differentiate_strip<Formula, T>(function_, problem_, x, dy, dx, count, {sums});
  }
  int sum_count() const override { return LaneSums<T>::kCount; }

 private:
  RationalProblem problem_;
  MonicRecurrence monic_;
  Function<T> function_;
};

class RationalElementwise : public ElementwiseOp {
 public:
  explicit RationalElementwise(const RationalProblem& problem) : problem_(problem) {}
  const char* name() const override { return "rational"; }
  StripFunctions strips(DType dtype, std::span<const Tensor> parameters) const override {
    StripFunctions strips;
    dispatch_floating(dtype, "rational", [&](auto zero) {
      using T = decltype(zero);
      const T *c = parameters[0].data<T>(), *d = parameters[1].data<T>();
      with_instance(problem_, [&](auto formula) {
        strips.set<T>(std::make_unique<RationalStrip<decltype(formula), T>>(problem_, c, d));
      });
    });
    return strips;
  }
  void finish(std::span<const double> sums, std::span<const Tensor> parameters,
              std::span<Tensor> gradients) const override {
    dispatch_floating(parameters[0].dtype(), "rational", [&](auto zero) {
      using T = decltype(zero);
      finish_sums(problem_, monic_recurrence_of(problem_.options.basis),
                  {LaneSums<T>::total(sums.data())}, parameters[1].data<T>(),
                  gradients[0].mutable_data<T>(), gradients[1].mutable_data<T>());
    });
  }

 private:
  RationalProblem problem_;
};

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

}  // namespace

std::shared_ptr<const ElementwiseOp> rational_elementwise(const RationalProblem& problem) {
  return std::make_shared<RationalElementwise>(problem);
}

void add_rational(Kernels& kernels) {
  kernels.rational_forward = rational_forward;
  kernels.rational_backward = rational_backward;
}

}  // namespace pade::cpu
