// Matrix products, convolutions and pooling.

#include <pade/core/kernels/math/pool.h>
#include <pade/core/kernels/reference/values.h>

namespace pade::reference {
namespace {

void matmul(const MatmulProblem& p, const Tensor& a, const Tensor& b, Tensor& c) {
  const int64_t m = p.rows, n = p.columns, l = p.inner;
  const Values of_a = values(a), of_b = values(b);
  Values sums = p.accumulate ? values(c) : Values(c.size(), 0);
  for_each_index(p.batch, [&](const Index& index, int64_t) {
    const double* matrix_a = of_a.data() + stretched(p.a_batch, index) * m * l;
    const double* matrix_b = of_b.data() + stretched(p.b_batch, index) * l * n;
    double* matrix_c = sums.data() + stretched(p.c_batch, index) * m * n;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j)
        for (int64_t k = 0; k < l; ++k)
          matrix_c[i * n + j] += (p.transpose_a ? matrix_a[k * m + i] : matrix_a[i * l + k]) *
                                 (p.transpose_b ? matrix_b[j * l + k] : matrix_b[k * n + j]);
  });
  store(sums, c);
}

/// Calls f(x, weight, y) with the positions of all that a convolution multiplies: element y of the
/// result is the sum of x · weight. Taps that fall outside of the image are left out.
template <class F>
void for_each_product(const Conv2dProblem& p, F&& f) {
  const auto [kernel, stride, padding, dilation] = p.window;
  for (int64_t n = 0; n < p.images; ++n)
    for (int64_t o = 0; o < p.out_channels; ++o)
      for (int64_t i = 0; i < p.output.h; ++i)
        for (int64_t j = 0; j < p.output.w; ++j)
          for (int64_t c = 0; c < p.group_in(); ++c)
            for (int64_t kh = 0; kh < kernel.h; ++kh)
              for (int64_t kw = 0; kw < kernel.w; ++kw) {
                const int64_t row = i * stride.h + kh * dilation.h - padding.h;
                const int64_t column = j * stride.w + kw * dilation.w - padding.w;
                if (row < 0 || row >= p.image.h || column < 0 || column >= p.image.w) continue;
                const int64_t channel = o / p.group_out() * p.group_in() + c;
                f(((n * p.in_channels + channel) * p.image.h + row) * p.image.w + column,
                  ((o * p.group_in() + c) * kernel.h + kh) * kernel.w + kw,
                  ((n * p.out_channels + o) * p.output.h + i) * p.output.w + j);
              }
}

void conv2d_forward(const Conv2dProblem& p, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, Tensor& y) {
  const Values xs = values(x), weights = values(weight), biases = values(bias);
  Values sums(y.size(), 0);
  if (bias.defined())
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = biases[i / p.output.area() % p.out_channels];
  for_each_product(p, [&](int64_t of_x, int64_t of_weight, int64_t of_y) {
    sums[of_y] += xs[of_x] * weights[of_weight];
  });
  store(sums, y);
}

void conv2d_backward_data(const Conv2dProblem& p, const Tensor& weight, const Tensor& dy,
                          Tensor& dx) {
  const Values weights = values(weight), dys = values(dy);
  Values sums(dx.size(), 0);
  for_each_product(p, [&](int64_t of_x, int64_t of_weight, int64_t of_y) {
    sums[of_x] += weights[of_weight] * dys[of_y];
  });
  store(sums, dx);
}

void conv2d_backward_weight(const Conv2dProblem& p, const Tensor& x, const Tensor& dy,
                            Tensor& dweight) {
  const Values xs = values(x), dys = values(dy);
  Values sums(dweight.size(), 0);
  for_each_product(p, [&](int64_t of_x, int64_t of_weight, int64_t of_y) {
    sums[of_weight] += xs[of_x] * dys[of_y];
  });
  store(sums, dweight);
}

void conv2d_backward_bias(const Tensor& dy, Tensor& dbias) {
  const int64_t channels = dy.extent(1), pixels = dy.shape().size_from(2);
  const Values dys = values(dy);
  Values sums(channels, 0);
  for (size_t i = 0; i < dys.size(); ++i) sums[i / pixels % channels] += dys[i];
  store(sums, dbias);
}

/// Calls f(y, plane, rows, columns) for every window: the position of its result, and what it sees
/// of which plane.
template <class F>
void for_each_window(const PoolProblem& p, F&& f) {
  for (int64_t plane = 0, y = 0; plane < p.planes; ++plane)
    for (int64_t i = 0; i < p.oh; ++i)
      for (int64_t j = 0; j < p.ow; ++j, ++y)
        f(y, plane, inside_window(i, p.kernel.h, p.stride.h, p.padding.h, p.h),
          inside_window(j, p.kernel.w, p.stride.w, p.padding.w, p.w));
}

/// Calls f(place in the plane) for every pixel in a window.
template <class F>
void for_each_pixel(const PoolProblem& p, PoolRange rows, PoolRange columns, F&& f) {
  for (int64_t row = rows.begin; row < rows.end; ++row)
    for (int64_t column = columns.begin; column < columns.end; ++column) f(row * p.w + column);
}

void max_pool_forward(const PoolProblem& p, const Tensor& x, Tensor& y, Tensor& winner) {
  const Values in = values(x);
  Values largest(y.size()), winners(y.size());
  for_each_window(p, [&](int64_t at, int64_t plane, PoolRange rows, PoolRange columns) {
    const double* image = in.data() + plane * p.h * p.w;
    int64_t best = rows.begin * p.w + columns.begin;
    for_each_pixel(p, rows, columns, [&](int64_t i) {
      if (is_above(image[i], image[best])) best = i;
    });
    largest[at] = image[best];
    winners[at] = static_cast<double>(best);
  });
  store(largest, y);
  store(winners, winner);
}

void max_pool_backward(const PoolProblem& p, const Tensor& dy, const Tensor& winner, Tensor& dx) {
  const Values dys = values(dy), winners = values(winner);
  Values sums(dx.size(), 0);
  for_each_window(p, [&](int64_t at, int64_t plane, PoolRange, PoolRange) {
    sums[plane * p.h * p.w + static_cast<int64_t>(winners[at])] += dys[at];
  });
  store(sums, dx);
}

void avg_pool_forward(const PoolProblem& p, const Tensor& x, Tensor& y) {
  const Values in = values(x);
  Values means(y.size(), 0);
  for_each_window(p, [&](int64_t at, int64_t plane, PoolRange rows, PoolRange columns) {
    for_each_pixel(p, rows, columns, [&](int64_t i) { means[at] += in[plane * p.h * p.w + i]; });
    means[at] /= static_cast<double>(counted(p, rows, columns));
  });
  store(means, y);
}

void avg_pool_backward(const PoolProblem& p, const Tensor& dy, Tensor& dx) {
  const Values dys = values(dy);
  Values sums(dx.size(), 0);
  for_each_window(p, [&](int64_t at, int64_t plane, PoolRange rows, PoolRange columns) {
    const double share = dys[at] / static_cast<double>(counted(p, rows, columns));
    for_each_pixel(p, rows, columns, [&](int64_t i) { sums[plane * p.h * p.w + i] += share; });
  });
  store(sums, dx);
}

}  // namespace

void add_products(Kernels& kernels) {
  kernels.matmul = matmul;
  kernels.conv2d_forward = conv2d_forward;
  kernels.conv2d_backward_data = conv2d_backward_data;
  kernels.conv2d_backward_weight = conv2d_backward_weight;
  kernels.conv2d_backward_bias = conv2d_backward_bias;
  kernels.max_pool_forward = max_pool_forward;
  kernels.max_pool_backward = max_pool_backward;
  kernels.avg_pool_forward = avg_pool_forward;
  kernels.avg_pool_backward = avg_pool_backward;
}

}  // namespace pade::reference
