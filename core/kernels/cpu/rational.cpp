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

using rational_math::FarPoint;

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

/// Of one group. Points into the parameters, which must outlive it. Its sums are one for each lane:
/// what a strip adds up in x's precision is added to these.
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
        near_(Formula::coefficients(rational_math::polynomials_of<T>(monic_, Formula::kTop),
                                    problem.m, problem.n, c_, d_)),
        far_{monic_, Formula::kForm, problem.m, problem.n, c_, d_} {}

  void forward(const T* x, T* y, int64_t count, bool streamed) const override {
    if (!all_within(x, count, near_.basis.limit))
      for (int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(far_point(far_, x[i]).value);
    else if (streamed)
      evaluate_near<true>(x, y, count);
    else
      evaluate_near<false>(x, y, count);
  }

  void backward(const T* x, const T* dy, T* dx, int64_t count, double* sums) const override {
    if (all_within(x, count, near_.basis.limit))
      differentiate_near(x, dy, dx, count, sums);
    else if (count <= kStrip)
      differentiate_far(x, dy, dx, count, sums);
    else
      for (int64_t i = 0; i < count; i += kStrip)
        backward(x + i, dy + i, dx + i, std::min(kStrip, count - i), sums);
  }

  int sum_count() const override { return kMostLearned * kLanes; }

  void total(const double* sums, double* totals) const override {
    for (int k = 0; k < kMostLearned; ++k, sums += kLanes) {
      Lanes<double> lanes = load_lanes(sums);
      for (int lane = kWideLanes; lane < kLanes; lane += kWideLanes)
        lanes += load_lanes(sums + lane);
      totals[k] = sum_lanes_in_pairs(lanes);
    }
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
  static constexpr int kLanes = kLaneCount<T>, kWideLanes = kLaneCount<double>;

  template <bool kStreamed>
  void evaluate_near(const T* x, T* y, int64_t count) const {
    const Coefficients k = near_;  // a copy of our own can stay in registers
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes)
      put_lanes<kStreamed, T>(y + i, Formula::value(k, load_lanes(x + i)));
    if (i < count) {
      const Lanes<T> tail = load_lanes(x + i, count - i, x[i]);
      store_lanes<T>(y + i, Formula::value(k, tail), count - i);
    }
  }

  /// dx, and the strip's contribution to Σ dy f_i/Q and Σ dy G/Q · ∂Q/∂d_j.
  void differentiate_near(const T* x, const T* dy, T* dx, int64_t count, double* sums) const {
    const Coefficients k = near_;
    Lanes<T> of_c[Formula::kNumerator + 1] = {}, of_d[Formula::kDenominator + 1] = {};
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes)
      store_lanes<T>(dx + i,
                     Formula::differentiate(k, load_lanes(x + i), load_lanes(dy + i), of_c, of_d));
    if (i < count) {
      const int64_t rest = count - i;
      const Lanes<T> at_x = load_lanes(x + i, rest, x[i]), dys = load_lanes(dy + i, rest, T{0});
      store_lanes<T>(dx + i, Formula::differentiate(k, at_x, dys, of_c, of_d), rest);
    }
    auto add = [&](const Lanes<T>& of_strip) {
      const T* from = reinterpret_cast<const T*>(&of_strip);
      for (int lane = 0; lane < kLanes; lane += kWideLanes, sums += kWideLanes)
        store_lanes<double>(sums, load_lanes(sums) + load_widened(from + lane));
    };
    for (int c = 0; c <= problem_.m; ++c) add(of_c[c]);
    for (int d = Formula::kFirst; d <= problem_.n; ++d) add(of_d[d]);
  }

  void differentiate_far(const T* x, const T* dy, T* dx, int64_t count, double* sums) const {
    for (int64_t i = 0; i < count; ++i) {
      const FarPoint at = far_point(far_, x[i]);
      dx[i] = static_cast<T>(dy[i] * at.slope);
      far_gradients(far_, x[i], at, [&](int k, double g) { sums[k * kLanes] += dy[i] * g; });
    }
  }

  using Coefficients = rational_math::Coefficients<T>;

  RationalProblem problem_;
  int64_t group_;
  const T *c_, *d_;
  MonicRecurrence monic_;
  Coefficients near_;
  rational_math::FarFunction<T> far_;
};

}  // namespace

template <class T>
StripFunctions<T> rational_strips(const RationalProblem& f, std::span<const Tensor> parameters) {
  const T *c = parameters[0].data<T>(), *d = parameters[1].data<T>();
  StripFunctions<T> functions;
  rational_math::with_form(f.options, [&](auto form, auto shifted) {
    rational_math::with_degrees<form.value, shifted.value>(f.m, f.n, [&]<class Formula>(Formula) {
      for (int64_t group = 0; group < f.groups; ++group)
        functions.push_back(std::make_unique<RationalStrip<Formula, T>>(f, group, c, d));
    });
  });
  return functions;
}

template StripFunctions<float> rational_strips(const RationalProblem&, std::span<const Tensor>);
template StripFunctions<double> rational_strips(const RationalProblem&, std::span<const Tensor>);

}  // namespace pade::cpu
