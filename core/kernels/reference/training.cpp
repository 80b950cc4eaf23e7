// Softmax, cross entropy and the optimisers.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

/// Of one element of a line: with x less the line's largest x, so that nothing overflows, and the
/// sum of the exponentials of these.
struct Softmax {
  double shifted, sum;
  double value() const { return std::exp(shifted) / sum; }
  double log() const { return shifted - std::log(sum); }
};

/// Calls f(i, line, k, softmax) for every element x[i], the one of class k in that line.
void for_each_class(const SoftmaxLines& lines, In x, const auto& f) {
  for_all({lines.outer, lines.inner}, [&](auto outer, auto inner) {
    const auto at = [&](int64_t k) { return (outer * lines.classes + k) * lines.inner + inner; };
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t k = 0; k < lines.classes; ++k) top = std::max(top, x[at(k)]);
    for (int64_t k = 0; k < lines.classes; ++k) sum += std::exp(x[at(k)] - top);
    for (int64_t k = 0; k < lines.classes; ++k)
      f(at(k), outer * lines.inner + inner, k, Softmax{x[at(k)] - top, sum});
  });
}

/// Calls f(i, loss, t, softmax) for every logit: the number of its sample's loss, and the share
/// of its class in the target, 1 − ε at the label and ε/K everywhere.
void for_each_logit(const CrossEntropyProblem& p, In logits, In labels, const auto& f) {
  const int64_t classes = logits.shape()[1];
  const double everywhere = p.label_smoothing / static_cast<double>(classes);
  for_each_class({labels.size(), classes, 1}, logits, [&](auto i, auto row, auto k, Softmax y) {
    const bool is_label = static_cast<double>(k) == labels[row];
    f(i, p.per_sample ? row : 0, everywhere + (is_label ? 1 - p.label_smoothing : 0), y);
  });
}

}  // namespace

void add_training(Kernels& kernels) {
  kernels.softmax_forward = [](const SoftmaxLines& lines, bool log, In x, Out y) {
    for_each_class(lines, x, [&](auto i, auto, auto, Softmax softmax) {
      y[i] = log ? softmax.log() : softmax.value();
    });
  };

  kernels.softmax_backward = [](const SoftmaxLines& lines, bool log, In y, In dy, Out dx) {
    for_all({lines.outer, lines.inner}, [&](auto outer, auto inner) {
      const auto at = [&](int64_t k) { return (outer * lines.classes + k) * lines.inner + inner; };
      double sum = 0;
      for (int64_t k = 0; k < lines.classes; ++k) sum += log ? dy[at(k)] : dy[at(k)] * y[at(k)];
      for (int64_t k = 0; k < lines.classes; ++k)
        dx[at(k)] = log ? dy[at(k)] - std::exp(y[at(k)]) * sum : y[at(k)] * (dy[at(k)] - sum);
    });
  };

  kernels.cross_entropy_forward = [](const CrossEntropyProblem& p, In logits, In labels, Out loss) {
    for_each_logit(p, logits, labels, [&](auto, auto to, double t, Softmax y) {
      if (t != 0) loss[to] -= t * y.log();
    });
    if (p.mean) loss[0] /= static_cast<double>(labels.size());
  };

  kernels.cross_entropy_backward = [](const CrossEntropyProblem& p, In logits, In labels, In dloss,
                                      Out dlogits) {
    const double count = p.mean ? static_cast<double>(labels.size()) : 1;
    for_each_logit(p, logits, labels, [&](auto i, auto from, double t, Softmax y) {
      dlogits[i] = dloss[from] / count * (y.value() - t);
    });
  };

  kernels.sgd_update = [](std::span<const UpdateTask<SgdUpdate>> tasks) {
    for (const auto& [update, parameter, gradient, slots, unused] : tasks) {
      Tensor none;
      InOut p(parameter), buffer(slots.empty() ? none : slots[0]);
      const Array dp(gradient);
      const double momentum = slots.empty() ? 0 : update.momentum;
      for (int64_t i = 0; i < p.size(); ++i) {
        const double g = dp[i] + update.weight_decay * p[i];
        const double velocity = momentum * buffer.at(i, 0) + g;
        if (!slots.empty()) buffer[i] = velocity;
        p[i] -= update.lr * (update.nesterov ? g + momentum * velocity : velocity);
      }
    }
  };

  kernels.adam_update = [](std::span<const UpdateTask<AdamUpdate>> tasks) {
    for (const auto& [update, parameter, gradient, slots, step_scale] : tasks) {
      const auto& [lr, beta1, beta2, eps, weight_decay, step, decoupled] = update;
      const double bias1 = 1 - std::pow(beta1, step), bias2 = 1 - std::pow(beta2, step);
      InOut p(parameter), first(slots[0]), second(slots[1]);
      const Array dp(gradient), scale(step_scale);
      for (int64_t i = 0; i < p.size(); ++i) {
        const double g = dp[i] + (decoupled ? 0 : weight_decay * p[i]);
        first[i] = beta1 * first[i] + (1 - beta1) * g;
        second[i] = beta2 * second[i] + (1 - beta2) * g * g;
        if (decoupled) p[i] -= lr * weight_decay * p[i];
        p[i] -= scale.at(i, 1) * lr * (first[i] / bias1) / (std::sqrt(second[i] / bias2) + eps);
      }
    }
  };

  kernels.sum_of_squares = [](std::span<const Tensor> tensors, std::span<const double> factors,
                              double& sum) {
    sum = 0;
    for (size_t k = 0; k < tensors.size(); ++k) {
      const Array x(tensors[k]);
      for (int64_t i = 0; i < x.size(); ++i) sum += factors[k] * x[i] * (factors[k] * x[i]);
    }
  };
}

}  // namespace pade::reference
