// Matrix products, convolutions and pooling.

#include <vector>

#include <pade/core/kernels/math/reduce.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

/// Calls f(x, weight, y) for all that a convolution multiplies: an element of y is the sum of its
/// x · weight. Taps that fall outside of the image are left out.
void for_each_product(const Conv2dProblem& p, auto& x, auto& weight, auto& y, const auto& f) {
  const Window& w = p.window;
  for (int64_t n = 0; n < p.images; ++n)
    for (int64_t o = 0; o < p.out_channels; ++o)
      for (int64_t i = 0; i < p.output.h; ++i)
        for (int64_t j = 0; j < p.output.w; ++j)
          for (int64_t c = 0; c < p.group_in(); ++c)
            for (int64_t kh = 0; kh < w.kernel.h; ++kh)
              for (int64_t kw = 0; kw < w.kernel.w; ++kw) {
                const int64_t channel = o / p.group_out() * p.group_in() + c;
                const int64_t row = i * w.stride.h + kh * w.dilation.h - w.padding.h;
                const int64_t column = j * w.stride.w + kw * w.dilation.w - w.padding.w;
                if (is_inside(p.image, row, column))
                  f(x(n, channel, row, column), weight(o, c, kh, kw), y(n, o, i, j));
              }
}

/// Calls f(window, pixel) for every pixel that a window sees: the numbers of an element of y and of
/// one of x.
void for_each_pixel(const PoolProblem& p, const auto& f) {
  for_all({p.planes, p.oh, p.ow, p.kernel.h, p.kernel.w},
          [&](auto plane, auto i, auto j, auto kh, auto kw) {
            const int64_t row = i * p.stride.h + kh - p.padding.h;
            const int64_t column = j * p.stride.w + kw - p.padding.w;
            if (is_inside({p.h, p.w}, row, column))
              f((plane * p.oh + i) * p.ow + j, (plane * p.h + row) * p.w + column);
          });
}

/// What the mean of each window is divided by: the number of its pixels.
std::vector<double> counts_of(const PoolProblem& p) {
  std::vector<double> counts(p.planes * p.oh * p.ow, 0);
  for_each_pixel(p, [&](auto window, auto) { ++counts[window]; });
  if (p.count_padding) counts.assign(counts.size(), static_cast<double>(p.kernel.area()));
  return counts;
}

}  // namespace

void add_products(Kernels& kernels) {
  kernels.matmul = [](const MatmulProblem& p, In a, In b, InOut c) {
    const int64_t m = p.rows, n = p.columns, l = p.inner;
    for (int64_t i = 0; i < c.size() && !p.accumulate; ++i) c[i] = 0;
    for (int64_t at = 0; at < p.batch.size(); ++at) {
      const int64_t first_a = broadcast_position(p.a_batch, p.batch, at) * m * l;
      const int64_t first_b = broadcast_position(p.b_batch, p.batch, at) * l * n;
      const int64_t first_c = broadcast_position(p.c_batch, p.batch, at) * m * n;
      for_all({m, n, l}, [&](auto i, auto j, auto k) {
        c[first_c + i * n + j] += a[first_a + (p.transpose_a ? k * m + i : i * l + k)] *
                                  b[first_b + (p.transpose_b ? j * l + k : k * n + j)];
      });
    }
  };

  kernels.conv2d_forward = [](const Conv2dProblem& p, In x, In weight, In bias, Out y) {
    for_all({p.images, p.out_channels, p.output.h, p.output.w},
            [&](auto n, auto o, auto i, auto j) { y(n, o, i, j) = bias.at(o, 0); });
    for_each_product(p, x, weight, y, [](double x, double w, double& y) { y += x * w; });
  };
  kernels.conv2d_backward_data = [](const Conv2dProblem& p, In weight, In dy, Out dx) {
    for_each_product(p, dx, weight, dy, [](double& dx, double w, double dy) { dx += w * dy; });
  };
  kernels.conv2d_backward_weight = [](const Conv2dProblem& p, In x, In dy, Out dweight) {
    for_each_product(p, x, dweight, dy, [](double x, double& dw, double dy) { dw += x * dy; });
  };

  kernels.conv2d_backward_bias = [](In dy, Out dbias) {
    for (int64_t i = 0; i < dy.size(); ++i)
      dbias[i / dy.shape().size_from(2) % dbias.size()] += dy[i];
  };

  kernels.max_pool_forward = [](const PoolProblem& p, In x, Out y, Out winner) {
    for (int64_t i = 0; i < y.size(); ++i) winner[i] = -1;
    for_each_pixel(p, [&](auto window, auto pixel) {
      if (winner[window] >= 0 && !is_above(x[pixel], y[window])) return;
      y[window] = x[pixel];
      winner[window] = static_cast<double>(pixel % (p.h * p.w));
    });
  };
  kernels.max_pool_backward = [](const PoolProblem& p, In dy, In winner, Out dx) {
    for (int64_t i = 0; i < dy.size(); ++i)
      dx[i / (p.oh * p.ow) * (p.h * p.w) + static_cast<int64_t>(winner[i])] += dy[i];
  };

  kernels.avg_pool_forward = [](const PoolProblem& p, In x, Out y) {
    const std::vector<double> counts = counts_of(p);
    for_each_pixel(p, [&](auto window, auto pixel) { y[window] += x[pixel]; });
    for (int64_t i = 0; i < y.size(); ++i) y[i] /= counts[i];
  };
  kernels.avg_pool_backward = [](const PoolProblem& p, In dy, Out dx) {
    const std::vector<double> counts = counts_of(p);
    for_each_pixel(p, [&](auto window, auto pixel) { dx[pixel] += dy[window] / counts[window]; });
  };
}

}  // namespace pade::reference
