#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include <pade/core/kernels/cpu/elementwise.h>
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

/// The same for each lane, at `sums`: what a strip adds up in x's precision is added to these.
template <class T>
struct LaneSums {
  static constexpr int kCount = kMostLearned * kLaneCount<T>;
  double* sums;

  void add(int k, const Lanes<T>& of_strip) const {
    const T* from = reinterpret_cast<const T*>(&of_strip);
    double* to = sums + k * kLaneCount<T>;
    for (int lane = 0; lane < kLaneCount<T>; lane += kLaneCount<double>)
      store_lanes<double>(to + lane, load_lanes(to + lane) + load_widened(from + lane));
  }
  void add_one(int k, double value) const { sums[k * kLaneCount<T>] += value; }
  static void total(const double* sums, double* totals) {
    constexpr int kLanes = kLaneCount<double>;
    for (int k = 0; k < kMostLearned; ++k, sums += kLaneCount<T>) {
      Lanes<double> lanes = load_lanes(sums);
      for (int lane = kLanes; lane < kLaneCount<T>; lane += kLanes)
        lanes += load_lanes(sums + lane);
      totals[k] = sum_lanes_in_pairs(lanes);
    }
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

/// Of one group. Points into the parameters, which must outlive it.
template <class Formula, class T>
class RationalStrip : public StripFunction<T> {
 public:
  RationalStrip(const RationalProblem& problem, int64_t group, const T* numerators,
                const T* denominators)
      : problem_(problem),
        group_(group),
        c_(numerators + group * (problem.m + 1)),
        d_(denominators + group * problem.denominators()),
        monic_(monic_recurrence_of(problem.options.basis)),
        function_{Formula::coefficients(rational_math::polynomials_of<T>(monic_, Formula::kTop),
                                        problem.m, problem.n, c_, d_),
                  {monic_, Formula::kForm, problem.m, problem.n, c_, d_}} {}
  void forward(const T* x, T* y, int64_t count, bool streamed) const override {
    if (streamed)
      evaluate_strip<Formula, true>(function_, x, y, count);
    else
      evaluate_strip<Formula>(function_, x, y, count);
  }
  void backward(const T* x, const T* dy, T* dx, int64_t count, double* sums) const override {
    differentiate_strip<Formula, T>(function_, problem_, x, dy, dx, count, {sums});
  }
  int sum_count() const override { return LaneSums<T>::kCount; }
  void total(const double* sums, double* totals) const override {
    LaneSums<T>::total(sums, totals);
  }
  /// Undoes the scaling of the monic form.
  void finish(const double* totals, std::span<Tensor> gradients) const override {
    T* dc = gradients[0].mutable_data<T>() + group_ * (problem_.m + 1);
    T* dd = gradients[1].mutable_data<T>() + group_ * problem_.denominators();
    for (int i = 0; i <= problem_.m; ++i) dc[i] = static_cast<T>(totals[i] * monic_.scale[i]);
    for (int j = 0; j < problem_.denominators(); ++j) {
      const bool negative = problem_.options.form == RationalForm::termwise && d_[j] < 0;
      const double scale = monic_.scale[j + problem_.first()] * (negative ? 1 : -1);
      dd[j] = static_cast<T>(totals[problem_.m + 1 + j] * scale);
    }
  }

 private:
  RationalProblem problem_;
  int64_t group_;
  const T *c_, *d_;
  MonicRecurrence monic_;
  Function<T> function_;
};

}  // namespace

template <class T>
StripFunctions<T> rational_strips(const RationalProblem& f, const Tensor& numerator,
                                  const Tensor& denominator) {
  const T *c = numerator.data<T>(), *d = denominator.data<T>();
  StripFunctions<T> functions;
  with_instance(f, [&]<class Formula>(Formula) {
    for (int64_t group = 0; group < f.groups; ++group)
      functions.push_back(std::make_unique<RationalStrip<Formula, T>>(f, group, c, d));
  });
  return functions;
}

template StripFunctions<float> rational_strips(const RationalProblem& f, const Tensor& numerator,
                                               const Tensor& denominator);
template StripFunctions<double> rational_strips(const RationalProblem& f, const Tensor& numerator,
                                                const Tensor& denominator);

}  // namespace pade::cpu
