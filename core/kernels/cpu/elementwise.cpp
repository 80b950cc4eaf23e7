#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include <pade/core/kernels/cpu/elementwise.h>
#include <pade/core/kernels/cpu/simd_math.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// float32 goes lane by lane; float64, which is for gradient checks and fits, one by one.
template <class T>
struct Vector {
  using type = T;
  static constexpr int64_t kCount = 1;
  static T load(const T* from, int64_t = 1) { return *from; }
  static void store(T value, T* to, int64_t = 1) { *to = value; }
  static double sum(T value) { return value; }
};
template <>
struct Vector<float> {
  using type = FloatLanes;
  static constexpr int64_t kCount = kLaneCount<float>;
  static FloatLanes load(const float* from) { return load_lanes(from); }
  static FloatLanes load(const float* from, int64_t count) { return load_lanes(from, count, 0.0f); }
  static void store(FloatLanes value, float* to) { store_lanes<float>(to, value.lanes); }
  static void store(FloatLanes value, float* to, int64_t count) {
    store_lanes<float>(to, value.lanes, count);
  }
  static double sum(FloatLanes value) { return sum_lanes<float>(value.lanes); }
};

/// to[i] = f(from[i]…) for begin <= i < end; f is written once for lanes and for a number.
template <class F, class T, class... From>
void apply(F&& f, int64_t begin, int64_t end, T* to, const From*... from) {
  using Lane = Vector<T>;
  int64_t i = begin;
  for (; i + Lane::kCount <= end; i += Lane::kCount)
    Lane::store(f(Lane::load(from + i)...), to + i);
  if (i < end) Lane::store(f(Lane::load(from + i, end - i)...), to + i, end - i);
}

/// A block is what a thread takes: its sums are kept in float64. Its strips are evaluated, and
/// summed in x's own precision, each at once.
constexpr int64_t kBlock = 16 * kStrip;
/// What a strip takes once, for its sums and the coefficients in every lane, is a tenth of the time
/// that a rational function's gradient of kStrip elements takes.
constexpr int64_t kLongStrip = 2 * kStrip;

/// One group's elements in a tensor seen as [outer, groups, run], strip by strip: where they lie if
/// they are one run there, else copied to or from a strip that is contiguous.
struct GroupView {
  int64_t groups, run, group;

  /// How many elements from `first` on, and before `end`, are taken at once: of one run where runs
  /// are long enough.
  int64_t strip(int64_t first, int64_t end, int64_t most = kStrip) const {
    constexpr int64_t kLongRun = kStrip / 4;
    most = std::min(most, end - first);
    return run >= kLongRun ? std::min(most, run - first % run) : most;
  }
  bool is_one_run(int64_t first, int64_t count) const { return first % run + count <= run; }
  int64_t place(int64_t first) const { return (first / run * groups + group) * run + first % run; }
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

/// Calls f(view of a group, block, first element, end) for fixed blocks of all groups.
template <class F>
void for_each_block(const ElementwiseProblem& problem, int64_t size, F&& f) {
  const int64_t groups = problem.groups();
  if (groups == 0) return;
  const int64_t run = groups == 1 ? size : std::get<RationalProblem>(problem.kind).run;
  const int64_t of_group = size / groups, blocks = blocks_of(of_group, kBlock);
  parallel_blocks(groups * blocks, [&](int64_t block) {
    const int64_t first = block % blocks * kBlock;
    f(GroupView{groups, run, block / blocks}, block, first, std::min(of_group, first + kBlock));
  });
}

template <class F, class T>
class FormulaStrip : public StripFunction<T> {
 public:
  FormulaStrip(const FormulaProblem& formula, std::span<const Tensor> parameters,
               StripBackward backward)
      : backward_(backward) {
    for (int k = 0; k < kCount; ++k)
      constants_[k] =
          parameters.empty() ? static_cast<T>(formula.constants[k]) : parameters[0].data<T>()[k];
  }
  void forward(const T* x, T* y, int64_t count, bool) const override {
    apply([c = constants_.data()](auto at) { return formulas::value_at<F>(at, c); }, 0, count, y,
          x);
  }
  void backward(const T* saved, const T* dy, T* dx, int64_t count, double* sums) const override {
    if constexpr (formulas::kSavesValue<F>)
      if (backward_.from_value)
        return apply([](auto y, auto above) { return above * F::slope_from_value(y); }, 0, count,
                     dx, saved, dy);
    if (!backward_.learns)
      return apply([c = constants_.data()](
                       auto at, auto above) { return above * formulas::slope_at<F>(at, c); },
                   0, count, dx, saved, dy);
    for (int64_t begin = 0; begin < count; begin += kStrip)
      differentiate(saved, dy, dx, begin, std::min(count, begin + kStrip), sums);
  }
  int sum_count() const override { return backward_.learns ? kCount : 0; }
  void total(const double* sums, double* totals) const override {
    std::copy_n(sums, sum_count(), totals);
  }
  void finish(const double* totals, std::span<Tensor> gradients) const override {
    T* gradient = gradients[0].mutable_data<T>();
    for (int k = 0; k < kCount; ++k) gradient[k] = static_cast<T>(totals[k]);
  }

 private:
  static constexpr int kCount = formulas::kVariables<F> - 1;

  /// dx, and sums[k] += Σ dy ∂f/∂constants[k]: in x's precision over a strip, which this is.
  void differentiate(const T* x, const T* dy, T* dx, int64_t begin, int64_t end,
                     double* sums) const {
    using V = typename Vector<T>::type;
    V of_strip[formulas::kPlaces<F>];
    for (V& sum : of_strip) sum = V(0);
    apply(
        [&](V at, V dys) {
          const auto y = formulas::all_slopes_at<F>(at, constants_.data());
          for (int k = 0; k < kCount; ++k) of_strip[k] = of_strip[k] + dys * y.slopes[1 + k];
          return dys * y.slopes[0];
        },
        begin, end, dx, x, dy);
    for (int k = 0; k < kCount; ++k) sums[k] += Vector<T>::sum(of_strip[k]);
  }

  std::array<T, formulas::kPlaces<F>> constants_;
  StripBackward backward_;
};

void elementwise_forward(const ElementwiseProblem& problem, std::span<const Tensor> parameters,
                         const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "elementwise", [&]<class T>(T) {
    const StripFunctions<T> functions = strip_functions<T>(problem, parameters, {});
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    // The gradient below takes longer than its stores, which then gain nothing.
    const bool streamed = problem.groups() == 1 && is_streamed<T>(x.size(), kStrip);
    for_each_block(problem, x.size(), [&](GroupView view, int64_t, int64_t first, int64_t end) {
      T x_strip[kStrip], y_strip[kStrip];
      for (int64_t begin = first, count; begin < end; begin += count) {
        count = view.strip(begin, end);
        const T* from = view.gather(in, begin, count, x_strip);
        view.scatter(out, begin, count, y_strip,
                     [&](T* to) { functions[view.group]->forward(from, to, count, streamed); });
      }
      if (streamed) finish_streaming();
    });
  });
}

void elementwise_backward(const ElementwiseProblem& problem, std::span<const Tensor> parameters,
                          const Tensor& saved, const Tensor& dy, Tensor& dx,
                          std::span<Tensor> gradients) {
  dispatch_floating(dy.dtype(), "elementwise", [&]<class T>(T) {
    const bool learns = !gradients.empty();
    const StripFunctions<T> functions =
        strip_functions<T>(problem, parameters, {learns, problem.saves_value});
    const T *of = saved.data<T>(), *dys = dy.data<T>();
    T* out = dx.mutable_data<T>();
    using Totals = std::array<double, kMostLearned>;
    const int64_t groups = problem.groups();
    const int64_t blocks = groups ? blocks_of(dy.size() / groups, kBlock) : 0;
    std::vector<Totals> partial(learns ? groups * blocks : 0);
    for_each_block(problem, dy.size(),
                   [&](GroupView view, int64_t block, int64_t first, int64_t end) {
                     const StripFunction<T>& function = *functions[view.group];
                     T saved_strip[kLongStrip], dy_strip[kLongStrip], dx_strip[kLongStrip];
                     alignas(kLaneBytes) double sums[kMostSums];
                     std::fill_n(sums, function.sum_count(), 0.0);
                     for (int64_t begin = first, count; begin < end; begin += count) {
                       count = view.strip(begin, end, kLongStrip);
                       const T* at = view.gather(of, begin, count, saved_strip);
                       const T* dy_at = view.gather(dys, begin, count, dy_strip);
                       view.scatter(out, begin, count, dx_strip,
                                    [&](T* to) { function.backward(at, dy_at, to, count, sums); });
                     }
                     if (learns) function.total(sums, partial[block].data());
                   });
    if (!learns) return;
    for (int64_t group = 0; group < groups; ++group) {  // its blocks in order
      Totals totals{};
      for (int64_t block = group * blocks; block < (group + 1) * blocks; ++block)
        for (int k = 0; k < kMostLearned; ++k) totals[k] += partial[block][k];
      functions[group]->finish(totals.data(), gradients);
    }
  });
}

}  // namespace

template <class T>
StripFunctions<T> strip_functions(const ElementwiseProblem& f, std::span<const Tensor> parameters,
                                  StripBackward backward) {
  if (const auto* rational = std::get_if<RationalProblem>(&f.kind))
    return rational_strips<T>(*rational, parameters);
  const auto& formula = std::get<FormulaProblem>(f.kind);
  StripFunctions<T> functions;
  formulas::with_formula(formula.index, [&]<class F>(F) {
    functions.push_back(std::make_unique<FormulaStrip<F, T>>(formula, parameters, backward));
  });
  return functions;
}

template StripFunctions<float> strip_functions(const ElementwiseProblem&, std::span<const Tensor>,
                                               StripBackward);
template StripFunctions<double> strip_functions(const ElementwiseProblem&, std::span<const Tensor>,
                                                StripBackward);

void add_elementwise(Kernels& kernels) {
  kernels.elementwise_forward = elementwise_forward;
  kernels.elementwise_backward = elementwise_backward;
}

}  // namespace pade::cpu
