// Losses and optimisers.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

/// exp(x_k) / Σ exp(x) of n numbers, `step` apart, and its logarithm. Their largest is taken out
/// first, so that nothing overflows.
struct Softmax {
  std::vector<double> shifted;
  double sum = 0;

  Softmax(const Array& x, int64_t first, int64_t n, int64_t step) : shifted(n) {
    double top = -std::numeric_limits<double>::infinity();
    for (int64_t k = 0; k < n; ++k) top = std::max(top, x[first + k * step]);
    for (int64_t k = 0; k < n; ++k) {
      shifted[k] = x[first + k * step] - top;
      sum += std::exp(shifted[k]);
    }
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

void softmax_forward(const SoftmaxLines& lines, bool log, const Array& x, Result y) {
  for_each_line(lines, [&](int64_t first) {
    const Softmax softmax(x, first, lines.classes, lines.inner);
    for (int64_t k = 0; k < lines.classes; ++k)
      y[first + k * lines.inner] = log ? softmax.log(k) : softmax.value(k);
  });
}

void softmax_backward(const SoftmaxLines& lines, bool log, const Array& y, const Array& dy,
                      Result dx) {
  for_each_line(lines, [&](int64_t first) {
    const int64_t end = first + lines.classes * lines.inner;
    double sum = 0;
    for (int64_t i = first; i < end; i += lines.inner) sum += log ? dy[i] : dy[i] * y[i];
    for (int64_t i = first; i < end; i += lines.inner)
      dx[i] = log ? dy[i] - std::exp(y[i]) * sum : y[i] * (dy[i] - sum);
  });
}

/// The share of class k in the target of a row with this label.
double target(const CrossEntropyProblem& p, int64_t classes, int64_t k, double label) {
  const double everywhere = p.label_smoothing / static_cast<double>(classes);
  return everywhere + (static_cast<double>(k) == label ? 1 - p.label_smoothing : 0);
}

void cross_entropy_forward(const CrossEntropyProblem& p, const Array& logits, const Array& labels,
                           Result loss) {
  const int64_t rows = logits.shape()[0], classes = logits.shape()[1];
  for (int64_t i = 0; i < rows; ++i) {
    const Softmax softmax(logits, i * classes, classes, 1);
    for (int64_t k = 0; k < classes; ++k)
      if (const double t = target(p, classes, k, labels[i]); t != 0)
        loss[p.per_sample ? i : 0] -= t * softmax.log(k);
  }
  if (p.mean) loss[0] /= static_cast<double>(rows);
}

void cross_entropy_backward(const CrossEntropyProblem& p, const Array& logits, const Array& labels,
                            const Array& dloss, Result dlogits) {
  const int64_t rows = logits.shape()[0], classes = logits.shape()[1];
  for (int64_t i = 0; i < rows; ++i) {
    const Softmax softmax(logits, i * classes, classes, 1);
    const double dy = dloss[p.per_sample ? i : 0] / (p.mean ? static_cast<double>(rows) : 1);
    for (int64_t k = 0; k < classes; ++k)
      dlogits(i, k) = dy * (softmax.value(k) - target(p, classes, k, labels[i]));
  }
}

void sgd_update(std::span<const UpdateTask<SgdUpdate>> tasks) {
  for (const auto& task : tasks) {
    const Array gradient(task.gradient);
    Updated p(task.parameter);
    if (task.slots.empty()) {
      const SgdStep<double> step(task.update);
      for (int64_t i = 0; i < p.size(); ++i) step(p[i], gradient[i]);
    } else {
      Updated buffer(task.slots[0]);
      const MomentumStep<double> step(task.update);
      for (int64_t i = 0; i < p.size(); ++i) step(p[i], gradient[i], buffer[i]);
    }
  }
}

void adam_update(std::span<const UpdateTask<AdamUpdate>> tasks) {
  for (const auto& task : tasks) {
    const Array gradient(task.gradient), scale(task.step_scale);
    Updated p(task.parameter), first(task.slots[0]), second(task.slots[1]);
    const AdamStep<double> step(task.update);
    for (int64_t i = 0; i < p.size(); ++i)
      step(p[i], gradient[i], first[i], second[i], scale.at(i, 1));
  }
}

void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum) {
  sum = 0;
  for (size_t k = 0; k < tensors.size(); ++k) {
    const Array x(tensors[k]);
    for (int64_t i = 0; i < x.size(); ++i) sum += factors[k] * x[i] * (factors[k] * x[i]);
  }
}

}  // namespace

void add_training(Kernels& kernels) {
  define<softmax_forward>(kernels.softmax_forward);
  define<softmax_backward>(kernels.softmax_backward);
  define<cross_entropy_forward>(kernels.cross_entropy_forward);
  define<cross_entropy_backward>(kernels.cross_entropy_backward);
  define<sgd_update>(kernels.sgd_update);
  define<adam_update>(kernels.adam_update);
  define<sum_of_squares>(kernels.sum_of_squares);
}

}  // namespace pade::reference
