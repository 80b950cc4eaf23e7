// Matrix products, convolutions and pooling.

#include <vector>

#include <pade/core/kernels/math/pool.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

void matmul(const MatmulProblem& p, const Array& a, const Array& b, Updated c) {
  const int64_t m = p.rows, n = p.columns, l = p.inner;
  for (int64_t i = 0; i < c.size() && !p.accumulate; ++i) c[i] = 0;
  for_each_index(p.batch, [&](const Index& index) {
    const int64_t first_a = position_in(p.a_batch, index) * m * l;
    const int64_t first_b = position_in(p.b_batch, index) * l * n;
    const int64_t first_c = position_in(p.c_batch, index) * m * n;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j)
        for (int64_t k = 0; k < l; ++k)
          c[first_c + i * n + j] += a[first_a + (p.transpose_a ? k * m + i : i * l + k)] *
                                    b[first_b + (p.transpose_b ? j * l + k : k * n + j)];
  });
}

/// Calls f(x, weight, y) for all that a convolution multiplies: an element of y is the sum of its
/// x · weight. Taps that fall outside of the image are left out.
template <class X, class Weight, class Y, class F>
void for_each_product(const Conv2dProblem& p, X& x, Weight& weight, Y& y, F&& f) {
  const auto [kernel, stride, padding, dilation] = p.window;
  for (int64_t n = 0; n < p.images; ++n)
    for (int64_t o = 0; o < p.out_channels; ++o)
      for (int64_t i = 0; i < p.output.h; ++i)
        for (int64_t j = 0; j < p.output.w; ++j)
          for (int64_t c = 0; c < p.group_in(); ++c)
            for (int64_t kh = 0; kh < kernel.h; ++kh)
              for (int64_t kw = 0; kw < kernel.w; ++kw) {
                const int64_t channel = o / p.group_out() * p.group_in() + c;
                const int64_t row = i * stride.h + kh * dilation.h - padding.h;
                const int64_t column = j * stride.w + kw * dilation.w - padding.w;
                if (row < 0 || row >= p.image.h || column < 0 || column >= p.image.w) continue;
                f(x(n, channel, row, column), weight(o, c, kh, kw), y(n, o, i, j));
              }
}

void conv2d_forward(const Conv2dProblem& p, const Array& x, const Array& weight, const Array& bias,
                    Result y) {
  for (int64_t i = 0; i < y.size(); ++i) y[i] = bias.at(i / p.output.area() % p.out_channels, 0);
  for_each_product(p, x, weight, y, [](double x, double weight, double& y) { y += x * weight; });
}

void conv2d_backward_data(const Conv2dProblem& p, const Array& weight, const Array& dy, Result dx) {
  for_each_product(p, dx, weight, dy,
                   [](double& dx, double weight, double dy) { dx += weight * dy; });
}

void conv2d_backward_weight(const Conv2dProblem& p, const Array& x, const Array& dy,
                            Result dweight) {
  for_each_product(p, x, dweight, dy,
                   [](double x, double& dweight, double dy) { dweight += x * dy; });
}

void conv2d_backward_bias(const Array& dy, Result dbias) {
  for_each_index(dy.shape(), [&](const Index& i) { dbias[i[1]] += dy(i); });
}

/// Calls f(y, plane, pixels) for every window: the position of its result, that of its plane, and
/// the places in the plane of the pixels that it sees.
template <class F>
void for_each_window(const PoolProblem& p, F&& f) {
  int64_t y = 0;
  for (int64_t plane = 0; plane < p.planes; ++plane)
    for (int64_t i = 0; i < p.oh; ++i)
      for (int64_t j = 0; j < p.ow; ++j) {
        const PoolRange rows = inside_window(i, p.kernel.h, p.stride.h, p.padding.h, p.h);
        const PoolRange columns = inside_window(j, p.kernel.w, p.stride.w, p.padding.w, p.w);
        std::vector<int64_t> pixels;
        for (int64_t row = rows.begin; row < rows.end; ++row)
          for (int64_t column = columns.begin; column < columns.end; ++column)
            pixels.push_back(row * p.w + column);
        f(y++, plane * p.h * p.w, pixels);
      }
}

void max_pool_forward(const PoolProblem& p, const Array& x, Result y, Result winner) {
  for_each_window(p, [&](int64_t to, int64_t plane, const std::vector<int64_t>& pixels) {
    int64_t best = pixels.front();
    for (const int64_t pixel : pixels)
      if (is_above(x[plane + pixel], x[plane + best])) best = pixel;
    y[to] = x[plane + best];
    winner[to] = static_cast<double>(best);
  });
}

void max_pool_backward(const PoolProblem& p, const Array& dy, const Array& winner, Result dx) {
  for_each_window(p, [&](int64_t from, int64_t plane, const std::vector<int64_t>&) {
    dx[plane + static_cast<int64_t>(winner[from])] += dy[from];
  });
}

/// How many elements a window's mean is divided by.
double count_of(const PoolProblem& p, const std::vector<int64_t>& pixels) {
  return static_cast<double>(p.count_padding ? p.kernel.area() : std::ssize(pixels));
}

void avg_pool_forward(const PoolProblem& p, const Array& x, Result y) {
  for_each_window(p, [&](int64_t to, int64_t plane, const std::vector<int64_t>& pixels) {
    for (const int64_t pixel : pixels) y[to] += x[plane + pixel];
    y[to] /= count_of(p, pixels);
  });
}

void avg_pool_backward(const PoolProblem& p, const Array& dy, Result dx) {
  for_each_window(p, [&](int64_t from, int64_t plane, const std::vector<int64_t>& pixels) {
    for (const int64_t pixel : pixels) dx[plane + pixel] += dy[from] / count_of(p, pixels);
  });
}

}  // namespace

void add_products(Kernels& kernels) {
  define<matmul>(kernels.matmul);
  define<conv2d_forward>(kernels.conv2d_forward);
  define<conv2d_backward_data>(kernels.conv2d_backward_data);
  define<conv2d_backward_weight>(kernels.conv2d_backward_weight);
  define<conv2d_backward_bias>(kernels.conv2d_backward_bias);
  define<max_pool_forward>(kernels.max_pool_forward);
  define<max_pool_backward>(kernels.max_pool_backward);
  define<avg_pool_forward>(kernels.avg_pool_forward);
  define<avg_pool_backward>(kernels.avg_pool_backward);
}

}  // namespace pade::reference
