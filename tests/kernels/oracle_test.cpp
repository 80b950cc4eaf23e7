#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include <pade/core/formula.h>
#include <pade/core/image_edit.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/ops/operands.h>
#include <pade/core/random.h>
#include <pade/layers/study/polynomial.h>

#include "tests/devices.h"

using namespace pade;

namespace {

/// One call of a kernel. The same seed gives the same problem, whatever table and device it is for.
class Trial {
 public:
  Trial(const Kernels& table, Device device, DType dtype, uint64_t seed)
      : kernels(table), device_(device), dtype_(dtype), rng_(seed, "oracle") {}

  const Kernels& kernels;
  std::deque<Tensor> results;  // references into it last

  DType dtype() const { return dtype_; }
  Rng& rng() { return rng_; }
  /// low … high.
  int64_t size(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(rng_.below(high - low + 1));
  }
  bool flip() { return rng_.below(2) == 0; }
  template <class T>
  T one_of(const std::vector<T>& choices) {
    return choices[rng_.below(choices.size())];
  }

  Tensor input(const Shape& shape, double low = -2, double high = 2) {
    return rng_.uniform(shape, low, high, dtype_).to(device_);
  }
  Tensor input_of(const Tensor& tensor) { return tensor.to(device_); }
  /// To be written to: full of NaN, so that an element that is left out is seen.
  Tensor& result(const Shape& shape) { return result(shape, dtype_); }
  Tensor& result(const Shape& shape, DType dtype) {
    const double value = is_floating(dtype) ? std::numeric_limits<double>::quiet_NaN() : 77;
    results.push_back(Tensor::full(shape, value, dtype, device_));
    return results.back();
  }
  /// To be changed.
  Tensor& result_from(const Tensor& start) {
    results.push_back(start.clone());
    return results.back();
  }

 private:
  Device device_;
  DType dtype_;
  Rng rng_;
};

struct Oracle {
  const char* name;
  void (*run)(Trial&);
};

std::vector<double> values(const Tensor& tensor) {
  return tensor.to(Device::cpu).to(DType::float64).to_vector<double>();
}

/// The largest difference over the largest magnitude, which is taken for 1 at least; infinite where
/// one has a number and the other has none.
double difference(const Tensor& ours, const Tensor& expected) {
  const std::vector<double> a = values(ours), b = values(expected);
  double largest = 1, worst = 0;
  for (const double value : b)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < b.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double distance = std::abs(a[i] - b[i]);
    worst =
        std::isnan(distance) ? std::numeric_limits<double>::infinity() : std::max(worst, distance);
  }
  return worst / largest;
}

/// Extents of 0 and 1, odd ones, and more than a vector or a block holds.
Shape any_shape(Trial& t) {
  return t.one_of<Shape>({{}, {0}, {1}, {7}, {130}, {3, 5}, {2, 1, 17}, {4, 3, 6, 5}, {1, 3000}});
}

Shape with_ones(Trial& t, const Shape& shape) {
  std::vector<int64_t> extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents.push_back(t.flip() ? 1 : shape[axis]);
  return Shape(std::span<const int64_t>(extents));
}

// ------------------------------------------------------------------------------------- elements

void tensor_kernels(Trial& t) {
  const Shape shape = any_shape(t);
  t.kernels.fill(t.result(shape), 1.25);
  t.kernels.fill(t.result(shape, DType::int32), -3.75);
  const Tensor x = t.input(shape, -300, 300), other = t.input(shape);
  for (const DType to : {DType::float32, DType::float64, DType::int32, DType::uint8})
    if (to != t.dtype()) t.kernels.convert(x, t.result(shape, to));
  t.kernels.add_scaled(t.result_from(x), other, -0.3);
  t.kernels.scale(std::span(&t.result_from(x), 1), 1.7);
}

void random_kernels(Trial& t) {
  const Shape shape = any_shape(t);
  Rng rng(t.rng().bits());
  rng.set_counter(0xFFFFFFFF - t.size(0, 3));
  t.kernels.fill_uniform(rng, -1, 3, t.result(shape));
  t.kernels.fill_normal(rng, 1, 2, t.result(shape));
  t.kernels.dropout(t.input(shape), 0.3, rng, t.result(shape));
}

/// With the parameters' gradients and without.
void elementwise_kernels(Trial& t, const ElementwiseProblem& f,
                         const std::vector<Tensor>& parameters, const Tensor& x) {
  const Tensor dy = t.input(x.shape());
  t.kernels.elementwise_forward(f, parameters, x, t.result(x.shape()));
  t.kernels.elementwise_backward(f, parameters, x, dy, t.result(x.shape()), {});
  if (parameters.empty()) return;
  Tensor dx = t.result(x.shape());
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters) gradients.push_back(t.result(parameter.shape()));
  t.kernels.elementwise_backward(f, parameters, x, dy, dx, gradients);
}

/// Any formula at its starts, which are a parameter or not.
ElementwiseProblem any_formula(Trial& t, std::vector<Tensor>& parameters) {
  ElementwiseProblem problem{};
  const auto index = static_cast<int>(t.rng().below(std::tuple_size_v<formulas::All>));
  formulas::with_formula(index, [&]<class F>(F) {
    FormulaProblem formula{index, F::kName, {}, {}};
    for (const formulas::Constant& constant : F::kConstants)
      formula.constants.push_back(constant.start);
    const auto count = static_cast<int64_t>(formula.constants.size());
    if (formulas::kMayLearn<F> && t.flip())
      parameters.push_back(
          t.input_of(Tensor::from<double>(formula.constants, {count}).to(t.dtype())));
    problem = {formula, formulas::kSavesValue<F>, static_cast<int>(parameters.size())};
  });
  return problem;
}

void formula_kernels(Trial& t) {
  std::vector<Tensor> parameters;
  const ElementwiseProblem f = any_formula(t, parameters);
  const Tensor x = t.flip() ? t.input(any_shape(t), -4, 4) : t.input(any_shape(t), 0.1, 3);
  elementwise_kernels(t, f, parameters, x);
}

/// Of the degrees from `first` on, in units of the polynomials' sizes: no sum cancels far.
Tensor coefficients(Trial& t, Basis basis, const Shape& shape, int first, double low, double high) {
  const auto f = evaluate_basis(basis, 2);
  std::vector<double> values =
      t.rng().uniform(shape, low, high, DType::float64).to_vector<double>();
  for (size_t i = 0; i < values.size(); ++i) values[i] /= 1 + std::abs(f[first + i % shape[1]]);
  return t.input_of(Tensor::from<double>(values, shape).to(t.dtype()));
}

void rational_kernels(Trial& t) {
  RationalProblem p{{}, t.size(0, 5), t.size(1, 3), t.one_of<int64_t>({1, 7, 64, 300}), 5, 4};
  p.options.basis = t.one_of(std::vector<Basis>(kAllBases.begin(), kAllBases.end()));
  p.options.form = t.one_of<RationalForm>(
      {RationalForm::termwise, RationalForm::whole_sum, RationalForm::full_sum});
  p.m = static_cast<int>(t.size(0, 8));
  p.n = static_cast<int>(t.size(std::max(1, p.m - 1), 8));
  // The others sum up d_j f_j, and have a kink where that is 0: a rounding decides on the side.
  const double lowest = p.options.form == RationalForm::termwise ? -1 : 0.3;
  const Tensor c = coefficients(t, p.options.basis, {p.groups, p.m + 1}, 0, -1, 1),
               d = coefficients(t, p.options.basis, {p.groups, p.denominators()}, p.first(), lowest,
                                1);
  elementwise_kernels(t, {p, false, 2}, {c, d}, t.input({p.outer, p.groups * p.run}));
}

// --------------------------------------------------------------------------------------- shapes

void arithmetic_kernels(Trial& t) {
  const Shape shape = any_shape(t), of_a = with_ones(t, shape), of_b = with_ones(t, shape);
  const Shape of_y = broadcast_shape("test", {of_a, of_b});
  const arithmetic::Function f = t.one_of<arithmetic::Function>(
      {arithmetic::Add{}, arithmetic::Sub{}, arithmetic::Mul{}, arithmetic::Div{},
       arithmetic::Minimum{}, arithmetic::Maximum{}});
  const Tensor a = t.input(of_a), b = t.input(of_b, 0.5, 2), dy = t.input(of_y);
  t.kernels.arithmetic_forward(f, a, b, t.result(of_y));
  Tensor da = t.result(of_a), db = t.result(of_b);
  t.kernels.arithmetic_backward(f, dy, a, b, da, db);
}

void comparison_kernels(Trial& t) {
  const Shape shape = any_shape(t), of_a = with_ones(t, shape), of_b = with_ones(t, shape);
  const Shape of_y = broadcast_shape("test", {of_a, of_b});
  const Comparison comparison =
      t.one_of<Comparison>({std::equal_to<>(), std::not_equal_to<>(), std::less<>(),
                            std::less_equal<>(), std::greater<>(), std::greater_equal<>()});
  const Tensor a = t.input(of_a), b = t.input(of_b), dy = t.input(of_y);
  t.kernels.compare(comparison, a, b, t.result(of_y, DType::uint8));
  Tensor condition = t.results.back();
  t.kernels.where_forward(condition, a, b, t.result(of_y));
  t.kernels.where_backward(condition, t.flip(), dy, t.result(of_a));
}

void reduction_kernels(Trial& t) {
  const Shape shape = any_shape(t), kept = with_ones(t, shape);
  const Tensor x = t.input(shape), dy = t.input(kept);
  t.kernels.reduce_sum(x, kept, 3, t.result(kept));
  if (shape.size() == 0) return;  // which the op refuses for maxima
  Tensor y = t.result(kept), number = t.result(kept, DType::int32);
  t.kernels.reduce_max(x, kept, y, number);
  Tensor dx = t.result_from(Tensor::zeros_like(x));
  t.kernels.reduce_max_backward(number, kept, dy, dx);
}

void copy_kernels(Trial& t) {
  const int64_t a = t.size(1, 5), b = t.one_of<int64_t>({1, 3, 40}), c = t.size(1, 9);
  const Tensor x = t.input({a, b, c});
  // Transposed to [c, a, b], and every second element of a longer axis.
  t.kernels.strided_copy({{c, 1, a * b}, {a, b * c, b}, {b, c, 1}}, x, 0, t.result({c, a, b}), 0);
  t.kernels.strided_copy({{a, b * c, 2 * c}, {c, 1, 2}}, x, (b - 1) * c, t.result({a, c, 2}), 1);
}

// ------------------------------------------------------------------------------------- products

void matmul_kernel(Trial& t) {
  MatmulProblem p;
  p.transpose_a = t.flip();
  p.transpose_b = t.flip();
  p.rows = t.one_of<int64_t>({0, 1, 5, 33, 70});
  p.columns = t.one_of<int64_t>({1, 4, 65});
  p.inner = t.one_of<int64_t>({0, 1, 3, 50});
  const Shape batch = t.one_of<Shape>({{}, {3}, {2, 3}});
  p.a_batch = with_ones(t, batch);
  p.b_batch = with_ones(t, batch);
  p.batch = broadcast_shape("test", {p.a_batch, p.b_batch});
  p.c_batch = t.flip() ? p.batch : with_ones(t, p.batch);
  p.accumulate = t.flip();
  const auto matrices = [](const Shape& stack, int64_t rows, int64_t columns) {
    return Shape{stack.size(), rows, columns};
  };
  const Tensor a = t.input(matrices(p.a_batch, p.rows, p.inner)),
               b = t.input(matrices(p.b_batch, p.inner, p.columns)),
               c = t.input(matrices(p.c_batch, p.rows, p.columns));
  t.kernels.matmul(p, a, b, t.result_from(c));
}

void conv2d_kernels(Trial& t) {
  const int64_t groups = t.one_of<int64_t>({1, 1, 1, 2, 16});
  const std::vector<int64_t> per_group =
      groups > 2 ? std::vector<int64_t>{1, 1, 2} : std::vector<int64_t>{1, 3, 8, 16};
  Conv2dProblem p{
      t.one_of<int64_t>({0, 1, 2, 17}),
      groups * t.one_of(per_group),
      groups * t.one_of(per_group),
      groups,
      {t.size(1, 12), t.size(1, 12)},
      1,
      {t.one_of<Size2>({1, 3, 3, 5, {1, 3}, {2, 4}}), t.one_of<Size2>({1, 1, 2, {1, 3}}),
       t.one_of<Size2>({0, 1, 2, {0, 2}}), t.one_of<Size2>({1, 1, 2})}};
  const Window& w = p.window;
  if (w.span().h > p.image.h + 2 * w.padding.h || w.span().w > p.image.w + 2 * w.padding.w)
    p.image = {12, 12};
  p.output = count_windows("test", p.image, p.window);
  const Shape of_x{p.images, p.in_channels, p.image.h, p.image.w};
  const Shape of_weight{p.out_channels, p.group_in(), w.kernel.h, w.kernel.w};
  const Shape of_y{p.images, p.out_channels, p.output.h, p.output.w};
  const Tensor x = t.input(of_x), weight = t.input(of_weight), dy = t.input(of_y);
  const Tensor bias = t.input({p.out_channels});
  t.kernels.conv2d_forward(p, x, weight, t.flip() ? bias : Tensor(), t.result(of_y));
  t.kernels.conv2d_backward_data(p, weight, dy, t.result(of_x));
  t.kernels.conv2d_backward_weight(p, x, dy, t.result(of_weight));
  t.kernels.conv2d_backward_bias(dy, t.result({p.out_channels}));
}

void pool_kernels(Trial& t) {
  PoolProblem p{t.one_of<int64_t>({0, 1, 3, 9}),
                t.size(1, 13),
                t.size(1, 20),
                0,
                0,
                t.one_of<Size2>({1, 2, 2, 3, {2, 3}}),
                t.one_of<Size2>({1, 2, 2, 3, {1, 2}}),
                0,
                t.flip()};
  if (p.kernel.h > 1 && p.kernel.w > 1 && t.flip()) p.padding = 1;
  if (p.kernel.h > p.h || p.kernel.w > p.w) p.kernel = {p.h, p.w}, p.padding = 0;
  const Size2 windows = count_windows("test", {p.h, p.w}, {p.kernel, p.stride, p.padding, 1});
  p.oh = windows.h, p.ow = windows.w;
  const Shape image{p.planes, p.h, p.w}, pooled{p.planes, p.oh, p.ow};
  const Tensor x = t.input(image), dy = t.input(pooled);
  Tensor y = t.result(pooled), winner = t.result(pooled, DType::int32);
  t.kernels.max_pool_forward(p, x, y, winner);
  t.kernels.max_pool_backward(p, dy, winner, t.result(image));
  t.kernels.avg_pool_forward(p, x, t.result(pooled));
  t.kernels.avg_pool_backward(p, dy, t.result(image));
}

// ------------------------------------------------------------------------------------- training

BatchNormProblem any_batch_norm(Trial& t) {
  return {t.size(1, 5),
          t.one_of<int64_t>({1, 3, 20}),
          t.one_of<int64_t>({2, 7, 49, 300}),
          t.flip(),
          0.1,
          1e-5};
}

void batch_norm_kernels(Trial& t) {
  const BatchNormProblem p = any_batch_norm(t);
  const Shape shape{p.n, p.channels, p.run}, channels{p.channels};
  const Tensor x = t.input(shape), dy = t.input(shape),
               gamma = t.flip() ? t.input(channels) : Tensor(),
               beta = t.flip() ? t.input(channels) : Tensor();
  Tensor running_mean = t.result_from(t.input(channels)),
         running_var = t.result_from(t.input(channels, 0.5, 2));
  Tensor mean = t.result(channels, DType::float64), inverse = t.result(channels, DType::float64);
  t.kernels.batch_norm_statistics(p, x, mean, inverse, running_mean, running_var);
  t.kernels.batch_norm_apply(p, x, mean, inverse, gamma, beta, t.result(shape));
  Tensor dx = t.flip() ? t.result(shape) : Tensor(), dgamma = t.result(channels),
         dbeta = t.result(channels);
  t.kernels.batch_norm_backward(p, dy, x, mean, inverse, gamma, dx, dgamma, dbeta);
}

/// As two kernels each, where there is not one.
void norm_act_kernels(Trial& t) {
  const BatchNormProblem p = any_batch_norm(t);
  const Shape shape{p.n, p.channels, p.run}, channels{p.channels};
  const Tensor x = t.input(shape), dy = t.input(shape), gamma = t.input(channels),
               beta = t.input(channels);
  const Tensor mean = t.input_of(t.rng().uniform(channels, -1, 1, DType::float64)),
               inverse = t.input_of(t.rng().uniform(channels, 0.5, 2, DType::float64));
  std::vector<Tensor> parameters;
  const ElementwiseProblem f = any_formula(t, parameters);
  Tensor y = t.result(shape), dx = t.result(shape), dgamma = t.result(channels),
         dbeta = t.result(channels);
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters) gradients.push_back(t.result(parameter.shape()));
  if (t.kernels.norm_act_forward) {
    t.kernels.norm_act_forward(p, f, x, mean, inverse, gamma, beta, parameters, y);
    t.kernels.norm_act_backward(p, f, dy, x, mean, inverse, gamma, beta, parameters, dx, dgamma,
                                dbeta, gradients);
  } else {
    Tensor z = Tensor::empty_like(x), dz = Tensor::empty_like(x);
    t.kernels.batch_norm_apply(p, x, mean, inverse, gamma, beta, z);
    t.kernels.elementwise_forward(f, parameters, z, y);
    t.kernels.elementwise_backward(f, parameters, f.saves_value ? y : z, dy, dz, gradients);
    t.kernels.batch_norm_backward(p, dz, x, mean, inverse, gamma, dx, dgamma, dbeta);
  }
}

void softmax_kernels(Trial& t) {
  const SoftmaxLines lines{t.size(0, 5), t.one_of<int64_t>({1, 10, 130}),
                           t.one_of<int64_t>({1, 3})};
  const Shape shape{lines.outer, lines.classes, lines.inner};
  const bool log = t.flip();
  const Tensor x = t.input(shape, -5, 5), dy = t.input(shape);
  t.kernels.softmax_forward(lines, log, x, t.result(shape));
  const Tensor y = t.input(shape, log ? -5 : 0, log ? 0 : 1);
  t.kernels.softmax_backward(lines, log, y, dy, t.result(shape));
}

void cross_entropy_kernels(Trial& t) {
  const int64_t rows = t.one_of<int64_t>({1, 3, 70}), classes = t.one_of<int64_t>({1, 10, 100});
  const bool per_sample = t.flip();
  const CrossEntropyProblem p{t.one_of<double>({0, 0.1}), per_sample, !per_sample && t.flip()};
  const Tensor logits = t.input({rows, classes}, -5, 5);
  const Tensor labels = t.input_of(t.rng().integers({rows}, 0, static_cast<int32_t>(classes)));
  const Shape of_loss = per_sample ? Shape{rows} : Shape{};
  const Tensor dloss = t.input(of_loss);
  t.kernels.cross_entropy_forward(p, logits, labels, t.result(of_loss));
  t.kernels.cross_entropy_backward(p, logits, labels, dloss, t.result({rows, classes}));
}

void augment_kernel(Trial& t) {
  const int64_t images = t.size(0, 4), channels = t.size(1, 3), h = t.size(1, 9), w = t.size(1, 9);
  const int64_t boxes = t.size(0, 2);
  const Tensor pixels =
      t.input_of(t.rng().integers({images, channels, h, w}, 0, 256).to(DType::uint8));
  const Tensor edits =
      t.input_of(t.rng().integers({images, kImageEditFields + kBoxFields * boxes}, -3, 12));
  const Tensor levels = t.input_of(t.rng().uniform({channels, 256}, -1, 1));
  t.kernels.augment(pixels, edits, levels, t.result({images, channels, h, w}, DType::float32));
}

void update_kernels(Trial& t) {
  const Shape shape = any_shape(t);
  const Tensor gradient = t.input(shape), no_scale, scale = t.input(shape, 0.5, 2);
  Tensor p = t.result_from(t.input(shape));
  std::vector<Tensor> slots;
  if (t.flip()) slots.push_back(t.input(shape).clone());
  const std::vector<UpdateTask<SgdUpdate>> sgd{
      {{0.1, 0.9, 1e-2, t.flip()}, p, gradient, slots, no_scale}};
  t.kernels.sgd_update(sgd);
  t.results.insert(t.results.end(), slots.begin(), slots.end());
  Tensor q = t.result_from(t.input(shape));
  std::vector<Tensor> moments{t.input(shape).clone(), t.input(shape, 0.1, 1).clone()};
  const std::vector<UpdateTask<AdamUpdate>> adam{{{0.1, 0.9, 0.999, 1e-8, 1e-2, 3, t.flip()},
                                                  q,
                                                  gradient,
                                                  moments,
                                                  t.flip() ? scale : no_scale}};
  t.kernels.adam_update(adam);
  t.results.insert(t.results.end(), moments.begin(), moments.end());

  std::vector<Tensor> both{t.result_from(p), t.result_from(q)};
  double sum = 0;
  t.kernels.sum_of_squares(both, std::vector<double>{1, 0.5}, sum);
  t.results.push_back(Tensor::scalar(sum, DType::float64));
  t.kernels.scale(both, 0.7);
}

constexpr Oracle kOracles[]{
    {"tensor", tensor_kernels},
    {"random", random_kernels},
    {"formula", formula_kernels},
    {"rational", rational_kernels},
    {"arithmetic", arithmetic_kernels},
    {"comparison", comparison_kernels},
    {"reduction", reduction_kernels},
    {"copy", copy_kernels},
    {"matmul", matmul_kernel},
    {"conv2d", conv2d_kernels},
    {"pool", pool_kernels},
    {"batch_norm", batch_norm_kernels},
    {"norm_act", norm_act_kernels},
    {"softmax", softmax_kernels},
    {"cross_entropy", cross_entropy_kernels},
    {"augment", augment_kernel},
    {"update", update_kernels},
};

}  // namespace

// A new kernel gets its line in one of the functions above.
DEVICE_TEST_CASE("every kernel computes what the plain loops of core/kernels/reference do") {
  const Kernels& fast = kernels_of(Tensor::zeros({1}, DType::float32, device));
  // The longest sums have 3,000 terms, with a rounding each.
  const auto rounding_of = [](DType dtype) {
    return 3000 * (dtype == DType::float64 ? 0x1p-53 : 0x1p-24);
  };
  const int trials = device == Device::cpu ? 60 : 12;
  for (const Oracle& oracle : kOracles)
    for (const DType dtype : {DType::float32, DType::float64})
      for (int seed = 0; seed < trials; ++seed) {
        Trial ours(fast, device, dtype, seed),
            expected(reference::kernels(), Device::cpu, dtype, seed);
        CAPTURE(std::string(oracle.name));
        CAPTURE(dtype);
        CAPTURE(seed);
        oracle.run(ours);
        if (device != Device::cpu && ours.results.empty()) continue;  // it has no such kernel yet
        oracle.run(expected);
        REQUIRE(ours.results.size() == expected.results.size());
        for (size_t i = 0; i < expected.results.size(); ++i) {
          CAPTURE(i);
          CHECK(difference(ours.results[i], expected.results[i]) <= rounding_of(dtype));
        }
      }
}
