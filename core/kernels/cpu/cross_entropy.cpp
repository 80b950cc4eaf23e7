#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/cross_entropy.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// NaN is passed over here; it comes back from the exponentials.
template <class T>
T largest(const T* x, int64_t n, int64_t stride) {
  T result = x[0];
  for (int64_t k = 1; k < n; ++k) {
    const T value = x[k * stride];
    result = value > result ? value : result;
  }
  return result;
}

/// e = exp(x − top) and their sum.
template <class T>
double exponentials(const T* x, T top, T* e, int64_t n, int64_t stride) {
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) {
    e[k * stride] = std::exp(x[k * stride] - top);
    sum += e[k * stride];
  }
  return sum;
}

template <class T>
double cross_entropy_of_row(const T* x, int64_t n, int32_t label, double smoothing) {
  const T top = largest(x, n, 1);
  double sum_exp = 0, sum = 0;
  for (int64_t k = 0; k < n; ++k) sum_exp += std::exp(x[k] - top);
  if (smoothing > 0)
    for (int64_t k = 0; k < n; ++k) sum += double{x[k]} - top;
  return pade::cross_entropy_of_row(sum_exp, double{x[label]} - top, sum, n, smoothing);
}

/// How many lines make a block.
int64_t lines_at_once(int64_t classes) {
  return std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, classes));
}

/// f(offset) for the offset of every line's first element, in parallel.
template <class F>
void for_each_line(const SoftmaxLines& lines, F&& f) {
  if (lines.classes == 0) return;
  parallel_for(lines.outer * lines.inner, lines_at_once(lines.classes),
               [&](int64_t begin, int64_t end) {
                 for (int64_t line = begin; line < end; ++line)
                   f(line / lines.inner * lines.classes * lines.inner + line % lines.inner);
               });
}

void softmax_forward(const SoftmaxLines& lines, bool log, const Tensor& x, Tensor& y) {
  const int64_t n = lines.classes, stride = lines.inner;
  dispatch_floating(x.dtype(), "softmax", [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    for_each_line(lines, [=](int64_t offset) {
      const T* from = in + offset;
      T* to = out + offset;
      const T top = largest(from, n, stride);
      const double sum = exponentials(from, top, to, n, stride);
      if (log) {
        const T log_sum = static_cast<T>(std::log(sum));
        for (int64_t k = 0; k < n; ++k) to[k * stride] = (from[k * stride] - top) - log_sum;
      } else {
        const T scale = static_cast<T>(1 / sum);
        for (int64_t k = 0; k < n; ++k) to[k * stride] *= scale;
      }
    });
  });
}

void softmax_backward(const SoftmaxLines& lines, bool log, const Tensor& y, const Tensor& dy,
                      Tensor& dx) {
  const int64_t n = lines.classes, stride = lines.inner;
  dispatch_floating(y.dtype(), "softmax", [&]<class T>(T) {
    const T *values = y.data<T>(), *dys = dy.data<T>();
    T* out = dx.mutable_data<T>();
    for_each_line(lines, [=](int64_t offset) {
      const T *value = values + offset, *slope = dys + offset;
      T* to = out + offset;
      double sum = 0;
      if (log)
        for (int64_t k = 0; k < n; ++k) sum += slope[k * stride];
      else
        for (int64_t k = 0; k < n; ++k) sum += double{value[k * stride]} * slope[k * stride];
      const T total = static_cast<T>(sum);
      for (int64_t k = 0; k < n; ++k)
        to[k * stride] = log ? log_softmax_gradient(value[k * stride], slope[k * stride], total)
                             : softmax_gradient(value[k * stride], slope[k * stride], total);
    });
  });
}

void cross_entropy_forward(const CrossEntropyProblem& problem, const Tensor& logits,
                           const Tensor& labels, Tensor& loss) {
  dispatch_floating(logits.dtype(), "cross_entropy", [&]<class T>(T) {
    const int64_t n = logits.extent(0), classes = logits.extent(1);
    const int64_t block = lines_at_once(classes);
    const T* x = logits.data<T>();
    const int32_t* label = labels.data<int32_t>();
    T* out = loss.mutable_data<T>();
    std::vector<double> partial(blocks_of(n, block));
    parallel_for(n, block, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const double loss_of_row =
            cross_entropy_of_row(x + i * classes, classes, label[i], problem.label_smoothing);
        if (problem.per_sample)
          out[i] = static_cast<T>(loss_of_row);
        else
          partial[begin / block] += loss_of_row;
      }
    });
    if (problem.per_sample) return;
    const double sum = std::accumulate(partial.begin(), partial.end(), 0.0);
    *out = static_cast<T>(problem.mean ? sum / static_cast<double>(n) : sum);
  });
}

void cross_entropy_backward(const CrossEntropyProblem& problem, const Tensor& logits,
                            const Tensor& labels, const Tensor& dloss, Tensor& dlogits) {
  dispatch_floating(logits.dtype(), "cross_entropy", [&]<class T>(T) {
    const int64_t n = logits.extent(0), classes = logits.extent(1);
    const T *x = logits.data<T>(), *dys = dloss.data<T>();
    const int32_t* label = labels.data<int32_t>();
    T* out = dlogits.mutable_data<T>();
    const double share = problem.mean ? 1.0 / static_cast<double>(n) : 1.0;
    const double everywhere = problem.label_smoothing / static_cast<double>(classes);
    parallel_for(n, lines_at_once(classes), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const double factor = share * dys[problem.per_sample ? i : 0];
        const T* from = x + i * classes;
        T* row = out + i * classes;
        const double sum = exponentials(from, largest(from, classes, 1), row, classes, 1);
        const T scale = static_cast<T>(factor / sum);
        const T shift = static_cast<T>(factor * everywhere);
        for (int64_t k = 0; k < classes; ++k) row[k] = row[k] * scale - shift;
        row[label[i]] -= static_cast<T>(factor * (1 - problem.label_smoothing));
      }
    });
  });
}

}  // namespace

void add_cross_entropy(Kernels& kernels) {
  kernels.softmax_forward = softmax_forward;
  kernels.softmax_backward = softmax_backward;
  kernels.cross_entropy_forward = cross_entropy_forward;
  kernels.cross_entropy_backward = cross_entropy_backward;
}

}  // namespace pade::cpu
