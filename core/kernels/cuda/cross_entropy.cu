#include <cmath>
#include <limits>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/cross_entropy.h>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda {
namespace {

/// NaN is passed over here; it comes back from the exponentials.
template <class Team, class T>
__device__ T largest(Team team, const T* x, int64_t n, int64_t stride) {
  T top = -std::numeric_limits<T>::infinity();
  for (int64_t k = team.rank(); k < n; k += team.size()) top = Larger{}(top, x[k * stride]);
  return team.reduce(top, Larger{});
}

/// Σ term(k) over a line, in float64.
template <class Team, class F>
__device__ double sum_of_line(Team team, int64_t n, F&& term) {
  double sum = 0;
  for (int64_t k = team.rank(); k < n; k += team.size()) sum += term(k);
  return team.reduce(sum, Plus{});
}

/// The offset of a line's first element.
__device__ __forceinline__ int64_t offset_of_line(const SoftmaxLines& lines, int64_t line) {
  if (lines.inner == 1) return line * lines.classes;
  return line / lines.inner * lines.classes * lines.inner + line % lines.inner;
}

template <class Team, class T>
__global__ void __launch_bounds__(kThreads)
    softmax_kernel(SoftmaxLines lines, bool log, const T* x, T* y) {
  const Team team;
  const int64_t n = lines.classes, stride = lines.inner;
  for (int64_t line = Team::first(); line < lines.outer * lines.inner; line += Team::step()) {
    const int64_t at = offset_of_line(lines, line);
    const T* in = x + at;
    T* out = y + at;
    const T top = largest(team, in, n, stride);
    const double sum =
        sum_of_line(team, n, [&](int64_t k) { return std::exp(in[k * stride] - top); });
    const T log_sum = static_cast<T>(std::log(sum)), scale = static_cast<T>(1 / sum);
    for (int64_t k = team.rank(); k < n; k += team.size()) {
      const T shifted = in[k * stride] - top;
      out[k * stride] = log ? shifted - log_sum : std::exp(shifted) * scale;
    }
  }
}

template <class Team, class T>
__global__ void __launch_bounds__(kThreads)
    softmax_backward_kernel(SoftmaxLines lines, bool log, const T* y, const T* dy, T* dx) {
  const Team team;
  const int64_t n = lines.classes, stride = lines.inner;
  for (int64_t line = Team::first(); line < lines.outer * lines.inner; line += Team::step()) {
    const int64_t at = offset_of_line(lines, line);
    const T *value = y + at, *dys = dy + at;
    const T sum = static_cast<T>(sum_of_line(team, n, [&](int64_t k) {
      const double slope = dys[k * stride];
      return log ? slope : value[k * stride] * slope;
    }));
    for (int64_t k = team.rank(); k < n; k += team.size())
      dx[at + k * stride] = log ? log_softmax_gradient(value[k * stride], dys[k * stride], sum)
                                : softmax_gradient(value[k * stride], dys[k * stride], sum);
  }
}

__device__ __forceinline__ bool is_class(int32_t label, int64_t classes) {
  return label >= 0 && label < classes;
}

/// The loss of every row; NaN where the label is not a class.
template <class Team, class T, class Out>
__global__ void __launch_bounds__(kThreads)
    cross_entropy_kernel(int64_t rows, int64_t classes, double smoothing, const T* logits,
                         const int32_t* labels, Out* losses) {
  const Team team;
  for (int64_t row = Team::first(); row < rows; row += Team::step()) {
    const T* x = logits + row * classes;
    const T top = largest(team, x, classes, 1);
    const double sum_exp =
        sum_of_line(team, classes, [&](int64_t k) { return std::exp(x[k] - top); });
    const double sum =
        smoothing > 0
            ? sum_of_line(team, classes, [&](int64_t k) { return static_cast<double>(x[k]) - top; })
            : 0;
    if (team.rank() != 0) continue;
    const int32_t label = labels[row];
    losses[row] =
        static_cast<Out>(is_class(label, classes)
                             ? cross_entropy_of_row(sum_exp, static_cast<double>(x[label]) - top,
                                                    sum, classes, smoothing)
                             : std::numeric_limits<double>::quiet_NaN());
  }
}

template <class Team, class T>
__global__ void __launch_bounds__(kThreads)
    cross_entropy_backward_kernel(int64_t rows, int64_t classes, double smoothing, double share,
                                  bool per_sample, const T* logits, const int32_t* labels,
                                  const T* dloss, T* dlogits) {
  const Team team;
  for (int64_t row = Team::first(); row < rows; row += Team::step()) {
    const T* x = logits + row * classes;
    const int32_t label = labels[row];
    const T top = largest(team, x, classes, 1);
    const double sum = sum_of_line(team, classes, [&](int64_t k) { return std::exp(x[k] - top); });
    const double factor = is_class(label, classes) ? share * dloss[per_sample ? row : 0]
                                                   : std::numeric_limits<double>::quiet_NaN();
    const T scale = static_cast<T>(factor / sum);
    const T everywhere = static_cast<T>(factor * smoothing / static_cast<double>(classes));
    const T at_label = static_cast<T>(factor * (1 - smoothing));
    for (int64_t k = team.rank(); k < classes; k += team.size())
      dlogits[row * classes + k] =
          std::exp(x[k] - top) * scale - everywhere - (k == label ? at_label : T(0));
  }
}

// ---------------------------------------------------------------------------------- launchers

void softmax_forward(const SoftmaxLines& lines, bool log, const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "softmax", [&]<class T>(T) {
    with_team(lines.outer * lines.inner, lines.classes, lines.inner,
              [&](auto team, unsigned blocks) {
                launch("softmax", blocks, softmax_kernel<decltype(team), T>, lines, log,
                       x.address<T>(), y.mutable_address<T>());
              });
  });
}

void softmax_backward(const SoftmaxLines& lines, bool log, const Tensor& y, const Tensor& dy,
                      Tensor& dx) {
  dispatch_floating(y.dtype(), "softmax", [&]<class T>(T) {
    with_team(lines.outer * lines.inner, lines.classes, lines.inner,
              [&](auto team, unsigned blocks) {
                launch("backward of softmax", blocks, softmax_backward_kernel<decltype(team), T>,
                       lines, log, y.address<T>(), dy.address<T>(), dx.mutable_address<T>());
              });
  });
}

void cross_entropy_forward(const CrossEntropyProblem& problem, const Tensor& logits,
                           const Tensor& labels, Tensor& loss) {
  const int64_t rows = logits.extent(0), classes = logits.extent(1);
  dispatch_floating(logits.dtype(), "cross_entropy", [&]<class T>(T) {
    auto write_losses = [&]<class Out>(Out* losses) {
      with_line_team(rows, classes, [&](auto team, unsigned blocks) {
        launch("cross_entropy", blocks, cross_entropy_kernel<decltype(team), T, Out>, rows, classes,
               problem.label_smoothing, logits.address<T>(), labels.address<int32_t>(), losses);
      });
    };
    T* out = loss.mutable_address<T>();
    if (problem.per_sample) return write_losses(out);
    Tensor losses = Tensor::empty({rows}, DType::float64, Device::cuda);
    write_losses(losses.mutable_address<double>());
    sum_partials("cross_entropy", losses.address<double>(), 1, rows,
                 StoreQuotient<T>{out, problem.mean ? static_cast<double>(rows) : 1.0});
  });
}

void cross_entropy_backward(const CrossEntropyProblem& problem, const Tensor& logits,
                            const Tensor& labels, const Tensor& dloss, Tensor& dlogits) {
  const int64_t rows = logits.extent(0), classes = logits.extent(1);
  const double share = problem.mean ? 1.0 / static_cast<double>(rows) : 1.0;
  dispatch_floating(logits.dtype(), "cross_entropy", [&]<class T>(T) {
    with_line_team(rows, classes, [&](auto team, unsigned blocks) {
      launch("backward of cross_entropy", blocks, cross_entropy_backward_kernel<decltype(team), T>,
             rows, classes, problem.label_smoothing, share, problem.per_sample, logits.address<T>(),
             labels.address<int32_t>(), dloss.address<T>(), dlogits.mutable_address<T>());
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

}  // namespace pade::cuda
