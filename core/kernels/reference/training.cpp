// Batch normalisation, losses, images and optimisers.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <pade/core/kernels/math/augment.h>
#include <pade/core/kernels/reference/values.h>

namespace pade::reference {
namespace {

/// Calls f(channel, position) for every element of x.
template <class F>
void for_each_element(const BatchNormProblem& p, F&& f) {
  for (int64_t i = 0; i < p.n * p.channels * p.run; ++i) f(i / p.run % p.channels, i);
}

/// What an undefined tensor of [C] stands for.
Values values_or(const Tensor& tensor, const BatchNormProblem& p, double otherwise) {
  return tensor.defined() ? values(tensor) : Values(p.channels, otherwise);
}

void batch_norm_statistics(const BatchNormProblem& p, const Tensor& x, Tensor& mean,
                           Tensor& inverse, Tensor& running_mean, Tensor& running_var) {
  const auto count = static_cast<double>(p.count());
  const Values in = values(x);
  Values means(p.channels, 0), variances(p.channels, 0), inverses(p.channels);
  for_each_element(p, [&](int64_t c, int64_t i) { means[c] += in[i] / count; });
  for_each_element(p, [&](int64_t c, int64_t i) {
    variances[c] += (in[i] - means[c]) * (in[i] - means[c]) / count;
  });
  for (int64_t c = 0; c < p.channels; ++c) inverses[c] = 1 / std::sqrt(variances[c] + p.eps);
  store(means, mean);
  store(inverses, inverse);
  const auto move = [&](Tensor& running, const Values& of_batch, double correction) {
    if (!running.defined()) return;
    Values moved = values(running);
    for (int64_t c = 0; c < p.channels; ++c)
      moved[c] = (1 - p.momentum) * moved[c] + p.momentum * correction * of_batch[c];
    store(moved, running);
  };
  move(running_mean, means, 1);
  move(running_var, variances, count / (count - 1));
}

void batch_norm_running_statistics(const BatchNormProblem& p, const Tensor& running_mean,
                                   const Tensor& running_var, Tensor& mean, Tensor& inverse) {
  store(values(running_mean), mean);
  map(
      inverse, [&](double variance) { return 1 / std::sqrt(variance + p.eps); }, running_var);
}

void batch_norm_apply(const BatchNormProblem& p, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y) {
  const Values in = values(x), means = values(mean), inverses = values(inverse);
  const Values gammas = values_or(gamma, p, 1), betas = values_or(beta, p, 0);
  Values results(in.size());
  for_each_element(p, [&](int64_t c, int64_t i) {
    results[i] = (in[i] - means[c]) * inverses[c] * gammas[c] + betas[c];
  });
  store(results, y);
}

void batch_norm_sums(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                     const Tensor& mean, const Tensor& inverse, Tensor& sums, Tensor& dgamma,
                     Tensor& dbeta) {
  const Values dys = values(dy), in = values(x), means = values(mean), inverses = values(inverse);
  Values of_gamma(p.channels, 0), of_beta(p.channels, 0);
  for_each_element(p, [&](int64_t c, int64_t i) {
    of_gamma[c] += dys[i] * (in[i] - means[c]) * inverses[c];
    of_beta[c] += dys[i];
  });
  store(of_gamma, dgamma);
  store(of_beta, dbeta);
  of_gamma.insert(of_gamma.end(), of_beta.begin(), of_beta.end());
  store(of_gamma, sums);
}

void batch_norm_backward(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                         const Tensor& mean, const Tensor& inverse, const Tensor& gamma,
                         const Tensor& sums, Tensor& dx) {
  const Values dys = values(dy), in = values(x), means = values(mean), inverses = values(inverse);
  const Values gammas = values_or(gamma, p, 1), of_both = values(sums);
  Values results(in.size());
  for_each_element(p, [&](int64_t c, int64_t i) {
    const double normalised = (in[i] - means[c]) * inverses[c];
    const double dgamma = of_both[c], dbeta = of_both[p.channels + c];
    results[i] = gammas[c] * inverses[c] * (dys[i] - p.share() * (dbeta + normalised * dgamma));
  });
  store(results, dx);
}

/// exp(x_k) / Σ exp(x) of n numbers, `step` apart, and its logarithm. Their largest is taken out
/// first, so that nothing overflows.
struct Softmax {
  Values shifted;
  double sum = 0;

  Softmax(const double* x, int64_t n, int64_t step) : shifted(n) {
    double top = -std::numeric_limits<double>::infinity();
    for (int64_t k = 0; k < n; ++k) top = std::max(top, x[k * step]);
    for (int64_t k = 0; k < n; ++k) sum += std::exp(shifted[k] = x[k * step] - top);
  }
  double value(int64_t k) const { return std::exp(shifted[k]) / sum; }
  double log(int64_t k) const { return shifted[k] - std::log(sum); }
};

/// Calls f(first) for every line: its elements are first, first + inner, …
template <class F>
void for_each_line(const SoftmaxLines& lines, F&& f) {
  for (int64_t outer = 0; outer < lines.outer; ++outer)
    for (int64_t inner = 0; inner < lines.inner; ++inner)
      f(outer * lines.classes * lines.inner + inner);
}

void softmax_forward(const SoftmaxLines& lines, bool log, const Tensor& x, Tensor& y) {
  Values results = values(x);
  for_each_line(lines, [&](int64_t first) {
    const Softmax softmax(&results[first], lines.classes, lines.inner);
    for (int64_t k = 0; k < lines.classes; ++k)
      results[first + k * lines.inner] = log ? softmax.log(k) : softmax.value(k);
  });
  store(results, y);
}

void softmax_backward(const SoftmaxLines& lines, bool log, const Tensor& y, const Tensor& dy,
                      Tensor& dx) {
  const Values ys = values(y), dys = values(dy);
  Values results(ys.size());
  for_each_line(lines, [&](int64_t first) {
    const int64_t end = first + lines.classes * lines.inner;
    double sum = 0;
    for (int64_t i = first; i < end; i += lines.inner) sum += log ? dys[i] : dys[i] * ys[i];
    for (int64_t i = first; i < end; i += lines.inner)
      results[i] = log ? dys[i] - std::exp(ys[i]) * sum : ys[i] * (dys[i] - sum);
  });
  store(results, dx);
}

/// The share of class k in the target of a row with this label.
double target(const CrossEntropyProblem& p, int64_t classes, int64_t k, double label) {
  const double everywhere = p.label_smoothing / static_cast<double>(classes);
  return everywhere + (static_cast<double>(k) == label ? 1 - p.label_smoothing : 0);
}

void cross_entropy_forward(const CrossEntropyProblem& p, const Tensor& logits, const Tensor& labels,
                           Tensor& loss) {
  const int64_t rows = logits.extent(0), classes = logits.extent(1);
  const Values in = values(logits), label = values(labels);
  Values losses(rows, 0), sum(1, 0);
  for (int64_t i = 0; i < rows; ++i) {
    const Softmax softmax(&in[i * classes], classes, 1);
    for (int64_t k = 0; k < classes; ++k)
      if (const double t = target(p, classes, k, label[i]); t != 0) losses[i] -= t * softmax.log(k);
    sum[0] += losses[i];
  }
  if (p.mean) sum[0] /= static_cast<double>(rows);
  store(p.per_sample ? losses : sum, loss);
}

void cross_entropy_backward(const CrossEntropyProblem& p, const Tensor& logits,
                            const Tensor& labels, const Tensor& dloss, Tensor& dlogits) {
  const int64_t rows = logits.extent(0), classes = logits.extent(1);
  const Values in = values(logits), label = values(labels), dlosses = values(dloss);
  Values results(in.size());
  for (int64_t i = 0; i < rows; ++i) {
    const Softmax softmax(&in[i * classes], classes, 1);
    const double dy = dlosses[p.per_sample ? i : 0] / (p.mean ? static_cast<double>(rows) : 1);
    for (int64_t k = 0; k < classes; ++k)
      results[i * classes + k] = dy * (softmax.value(k) - target(p, classes, k, label[i]));
  }
  store(results, dlogits);
}

void augment(const Tensor& pixels, const Tensor& edits, const Tensor& levels, Tensor& images) {
  const int64_t fields = edits.extent(1), channels = pixels.extent(1);
  const auto h = static_cast<int32_t>(pixels.extent(2)), w = static_cast<int32_t>(pixels.extent(3));
  float* out = images.mutable_data<float>();
  for (int64_t plane = 0; plane < pixels.extent(0) * channels; ++plane) {
    const ImageEditRow edit{edits.data<int32_t>() + plane / channels * fields,
                            static_cast<int>((fields - kImageEditFields) / kBoxFields)};
    for (int32_t y = 0; y < h; ++y)
      for (int32_t x = 0; x < w; ++x, ++out) {
        const int64_t row = edit.source_row(y), column = edit.source_column(x);
        const bool visible =
            edit.shown().contains(y, x) && row >= 0 && row < h && column >= 0 && column < w;
        const uint8_t level =
            visible ? pixels.data<uint8_t>()[(plane * h + row) * w + column] : uint8_t{0};
        *out = edit.erases(y, x) ? 0 : levels.data<float>()[plane % channels * 256 + level];
      }
  }
}

/// Calls step(p, gradient, slot …, scale) for every element, and stores what it changes.
template <class Task, class F>
void update(const Task& task, F&& step) {
  Values p = values(task.parameter), first, second;
  if (task.slots.size() > 0) first = values(task.slots[0]);
  if (task.slots.size() > 1) second = values(task.slots[1]);
  const Values gradient = values(task.gradient), scale = values(task.step_scale);
  double unused = 0;
  for (size_t i = 0; i < p.size(); ++i)
    step(p[i], gradient[i], first.empty() ? unused : first[i], second.empty() ? unused : second[i],
         scale.empty() ? 1 : scale[i]);
  store(p, task.parameter);
  if (!first.empty()) store(first, task.slots[0]);
  if (!second.empty()) store(second, task.slots[1]);
}

void sgd_update(std::span<const UpdateTask<SgdUpdate>> tasks) {
  for (const auto& task : tasks)
    update(task, [&](double& p, double gradient, double& buffer, double&, double) {
      if (task.slots.empty())
        SgdStep<double>(task.update)(p, gradient);
      else
        MomentumStep<double>(task.update)(p, gradient, buffer);
    });
}

void adam_update(std::span<const UpdateTask<AdamUpdate>> tasks) {
  for (const auto& task : tasks) update(task, AdamStep<double>(task.update));
}

void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum) {
  sum = 0;
  for (size_t k = 0; k < tensors.size(); ++k)
    for (const double x : values(tensors[k])) sum += factors[k] * x * (factors[k] * x);
}

void scale_all(std::span<Tensor> tensors, double factor) {
  for (Tensor& tensor : tensors)
    map(
        tensor, [&](double x) { return x * factor; }, tensor);
}

}  // namespace

void add_training(Kernels& kernels) {
  kernels.batch_norm_statistics = batch_norm_statistics;
  kernels.batch_norm_running_statistics = batch_norm_running_statistics;
  kernels.batch_norm_apply = batch_norm_apply;
  kernels.batch_norm_sums = batch_norm_sums;
  kernels.batch_norm_backward = batch_norm_backward;
  kernels.softmax_forward = softmax_forward;
  kernels.softmax_backward = softmax_backward;
  kernels.cross_entropy_forward = cross_entropy_forward;
  kernels.cross_entropy_backward = cross_entropy_backward;
  kernels.augment = augment;
  kernels.sgd_update = sgd_update;
  kernels.adam_update = adam_update;
  kernels.sum_of_squares = sum_of_squares;
  kernels.scale_all = scale_all;
}

}  // namespace pade::reference
