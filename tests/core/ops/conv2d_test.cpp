#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/conv2d.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

struct Case {
  Shape x, weight;
  Conv2dOptions options = {};
};

Conv2dProblem problem_of(const Case& c) {
  const Window window{
      {c.weight[2], c.weight[3]}, c.options.stride, c.options.padding, c.options.dilation};
  const Size2 image{c.x[2], c.x[3]};
  return {
      c.x[0], c.x[1], c.weight[0], c.options.groups, image, count_windows("test", image, window),
      window};
}

/// Sums in double, and the sums of the terms' absolute values: what rounding is relative to.
struct Sums {
  std::vector<double> value, size;

  explicit Sums(int64_t count) : value(count, 0.0), size(count, 0.0) {}
  void add(int64_t i, double term) {
    value[i] += term;
    size[i] += std::abs(term);
  }
  /// The largest error in units of rounding; NaN if there is one.
  double error_of(const Tensor& tensor) const {
    REQUIRE(tensor.size() == static_cast<int64_t>(value.size()));
    const double epsilon = tensor.dtype() == DType::float32 ? 0x1p-23 : 0x1p-52;
    const std::vector<double> got = tensor.to(DType::float64).to_vector<double>();
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double error = std::abs(got[i] - value[i]);
      const double relative = error == 0 ? 0 : error / (epsilon * size[i]);
      if (!(relative <= worst)) worst = relative;
    }
    return worst;
  }
};

/// The definition: every product of an input pixel, a weight and an output pixel.
template <class F>
void for_each_product(const Conv2dProblem& p, F&& f) {
  const Window& w = p.window;
  for (int64_t n = 0; n < p.images; ++n)
    for (int64_t o = 0; o < p.out_channels; ++o)
      for (int64_t i = 0; i < p.output.h; ++i)
        for (int64_t j = 0; j < p.output.w; ++j)
          for (int64_t c = 0; c < p.group_in(); ++c)
            for (int64_t kh = 0; kh < w.kernel.h; ++kh)
              for (int64_t kw = 0; kw < w.kernel.w; ++kw) {
                const int64_t row = i * w.stride.h + kh * w.dilation.h - w.padding.h;
                const int64_t column = j * w.stride.w + kw * w.dilation.w - w.padding.w;
                if (row < 0 || row >= p.image.h || column < 0 || column >= p.image.w) continue;
                const int64_t channel = o / p.group_out() * p.group_in() + c;
                f(((n * p.in_channels + channel) * p.image.h + row) * p.image.w + column,
                  ((o * p.group_in() + c) * w.kernel.h + kh) * w.kernel.w + kw,
                  ((n * p.out_channels + o) * p.output.h + i) * p.output.w + j);
              }
}

struct Tensors {
  Tensor x, weight, bias, dy;
  Sums y, dx, dweight, dbias;

  Tensors(const Case& c, const Conv2dProblem& p, DType dtype, Rng& rng)
      : x(rng.uniform(c.x, -1, 1, dtype)),
        weight(rng.uniform(c.weight, -1, 1, dtype)),
        bias(rng.uniform({p.out_channels}, -1, 1, dtype)),
        dy(rng.uniform({p.images, p.out_channels, p.output.h, p.output.w}, -1, 1, dtype)),
        y(dy.size()),
        dx(x.size()),
        dweight(weight.size()),
        dbias(bias.size()) {
    const auto vx = values(x), vw = values(weight), vb = values(bias), vdy = values(dy);
    for_each_product(p, [&](int64_t ix, int64_t iw, int64_t iy) {
      y.add(iy, vx[ix] * vw[iw]);
      dx.add(ix, vdy[iy] * vw[iw]);
      dweight.add(iw, vdy[iy] * vx[ix]);
    });
    for (int64_t i = 0; i < dy.size(); ++i) {
      const int64_t o = i / p.output.area() % p.out_channels;
      y.add(i, vb[o]);
      dbias.add(o, vdy[i]);
    }
  }
  static std::vector<double> values(const Tensor& tensor) {
    return tensor.to(DType::float64).to_vector<double>();
  }
};

/// Everything that is computed must be within a few roundings of the reference.
void check_case(const Case& c, DType dtype, Rng& rng, double tolerance, Device device) {
  CAPTURE(to_string(c.x));
  CAPTURE(to_string(c.weight));
  CAPTURE(c.options.stride);
  CAPTURE(c.options.padding);
  CAPTURE(c.options.dilation);
  CAPTURE(c.options.groups);
  const Conv2dProblem p = problem_of(c);
  Tensors t(c, p, dtype, rng);
  poison_new_storage(true);
  const auto leaf = [&](const Tensor& tensor) {
    return tensor.to(device).clone().requires_grad_();
  };
  const Tensor x = leaf(t.x), weight = leaf(t.weight), bias = leaf(t.bias);
  Tape tape;
  const Tensor y = conv2d(x, weight, bias, c.options);
  REQUIRE(y.shape() == t.dy.shape());
  tape.backward(sum(y * t.dy.to(device)));
  CHECK(t.y.error_of(y) <= tolerance);
  CHECK(t.dx.error_of(x.grad()) <= tolerance);
  CHECK(t.dweight.error_of(weight.grad()) <= tolerance);
  CHECK(t.dbias.error_of(bias.grad()) <= tolerance);

  if (device != Device::cpu) return poison_new_storage(false);
  // The façade takes one of these methods, but each can do all that it says is possible.
  using namespace cpu;
  for (const Method* method : {&kDirect, &kBatchBlocked, &kIm2col, &kChannelBlocked, &kPointwise,
                               &kDepthwise, &kDepthwiseSameSize}) {
    // A batch that leaves lanes empty is only slow.
    if (method != &kBatchBlocked && !method->is_possible(p, dtype)) continue;
    CAPTURE(std::string(method->name));
    Tensor y = Tensor::empty_like(t.dy), dx = Tensor::empty_like(t.x);
    Tensor dweight = Tensor::empty_like(t.weight);
    method->forward(p, t.x, t.weight, t.bias, y);
    method->backward_data(p, t.weight, t.dy, dx);
    method->backward_weight(p, t.x, t.dy, dweight);
    CHECK(t.y.error_of(y) <= tolerance);
    CHECK(t.dx.error_of(dx) <= tolerance);
    CHECK(t.dweight.error_of(dweight) <= tolerance);
  }
  poison_new_storage(false);
}

const Case kCases[] = {
    {{2, 1, 28, 28}, {6, 1, 5, 5}, {.padding = 2}},
    {{2, 6, 14, 14}, {16, 6, 5, 5}},
    {{1, 1, 1, 1}, {1, 1, 1, 1}},
    {{3, 5, 4, 4}, {7, 5, 1, 1}},
    {{2, 5, 9, 11}, {7, 5, 1, 1}},
    {{2, 9, 12, 13}, {4, 9, 1, 1}, {.stride = 2}},
    {{1, 5, 1, 4}, {3, 5, 1, 1}, {.stride = {3, 1}, .padding = {1, 0}}},  // as large as the image
    {{2, 5, 9, 8}, {3, 5, 3, 3}, {.stride = 2, .padding = 1}},
    {{2, 5, 9, 8}, {3, 5, 3, 3}, {.stride = {3, 2}, .padding = {0, 2}, .dilation = {2, 1}}},
    {{1, 2, 8, 9}, {3, 2, 3, 2}, {.stride = {1, 4}, .padding = {3, 1}, .dilation = {1, 3}}},
    {{2, 8, 7, 7}, {8, 1, 3, 3}, {.padding = 1, .groups = 8}},
    {{2, 8, 7, 7}, {16, 1, 3, 3}, {.stride = 2, .padding = 1, .groups = 8}},
    {{2, 5, 20, 18}, {5, 1, 5, 5}, {.stride = 2, .padding = 2, .dilation = 2, .groups = 5}},
    {{2, 19, 9, 21}, {19, 1, 3, 3}, {.padding = 1, .groups = 19}},  // more channels than lanes
    {{2, 17, 6, 7}, {17, 1, 5, 3}, {.stride = {1, 2}, .padding = {6, 0}, .groups = 17}},
    {{3, 16, 4, 4}, {16, 1, 7, 7}, {.padding = 3, .groups = 16}},
    {{1, 9, 12, 11}, {9, 1, 2, 3}, {.padding = 2, .dilation = 2, .groups = 9}},
    {{1, 8, 9, 9}, {8, 1, 2, 2}, {.stride = 4, .groups = 8}},  // pixels that no window sees
    {{2, 12, 6, 5}, {8, 6, 3, 3}, {.padding = 1, .groups = 2}},
    {{2, 4, 6, 5}, {6, 2, 3, 3}, {.padding = 1, .groups = 2}},
    {{1, 1, 3, 3}, {2, 1, 3, 3}},                 // one output pixel
    {{2, 2, 2, 2}, {2, 2, 1, 1}, {.stride = 5}},  // strides beyond the image
    {{2, 2, 2, 3}, {2, 2, 1, 2}, {.stride = {7, 1}, .padding = {9, 0}}},
    {{1, 1, 2, 2}, {1, 1, 2, 2}, {.padding = 6, .dilation = 5}},  // windows in the padding
    {{1, 2, 0, 3}, {1, 2, 1, 1}, {.padding = 1}},                 // only padding
    {{1, 2, 3, 130}, {2, 2, 3, 3}, {.dilation = {1, 60}}},        // taps far apart
    {{2, 5, 130, 3}, {2, 5, 3, 2}, {.padding = {20, 1}, .dilation = {50, 2}}},
    {{0, 2, 5, 5}, {3, 2, 3, 3}},
    {{0, 6, 5, 5}, {3, 6, 3, 3}},
    {{2, 0, 4, 4}, {3, 0, 3, 3}},
    {{2, 3, 4, 4}, {0, 3, 3, 3}},
};

/// Extents, options and groups at random, such that the kernel fits.
Case random_case(Rng& rng) {
  auto number = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(rng.below(high - low + 1));
  };
  Case c;
  c.options.groups = rng.below(3) ? 1 : number(1, 4);
  const int64_t in = number(1, 9), out = number(1, 9);
  const Size2 kernel{number(1, 4), number(1, 4)};
  c.options.stride = {number(1, 3), number(1, 3)};
  c.options.padding = {number(0, 3), number(0, 3)};
  c.options.dilation = {number(1, 3), number(1, 3)};
  const Window window{kernel, c.options.stride, c.options.padding, c.options.dilation};
  const int64_t h = std::max<int64_t>(1, window.span().h - 2 * c.options.padding.h) + number(0, 12);
  const int64_t w = std::max<int64_t>(1, window.span().w - 2 * c.options.padding.w) + number(0, 20);
  c.x = {number(1, 4), in * c.options.groups, h, w};
  c.weight = {out * c.options.groups, in, kernel.h, kernel.w};
  return c;
}

}  // namespace

DEVICE_TEST_CASE("conv2d and its gradients are sums of products, by every method") {
  Rng rng(1);
  for (const Case& c : kCases)
    for (const DType dtype : {DType::float32, DType::float64})
      check_case(c, dtype, rng, 16, device);
}

DEVICE_TEST_CASE("conv2d of random geometries") {
  Rng rng(2);
  for (int i = 0; i < (device == Device::cpu ? 60 : 20); ++i)
    check_case(random_case(rng), i % 3 ? DType::float32 : DType::float64, rng, 16, device);
}

DEVICE_TEST_CASE("conv2d where the work is cut into several blocks") {
  Rng rng(3);
  const Case cases[] = {
      {{37, 1, 12, 12}, {6, 1, 5, 5}, {.padding = 2}},
      {{50, 6, 7, 7}, {5, 6, 3, 3}, {.padding = 1}},  // images are joined
      {{150, 5, 2, 2}, {6, 5, 1, 1}},
      {{1, 5, 90, 91}, {4, 5, 3, 3}, {.stride = 1, .padding = 1}},  // an image is taken apart
      {{1, 3, 200, 90}, {4, 3, 3, 3}, {.padding = 1}},
      {{2, 33, 12, 12}, {4, 33, 1, 1}},
      {{2, 300, 8, 9}, {3, 300, 3, 3}, {.padding = 1}},
      {{1, 36, 8, 8}, {12, 12, 3, 3}, {.padding = 1, .groups = 3}},  // channels are cut
      {{20, 24, 9, 9}, {24, 1, 3, 3}, {.padding = 1, .groups = 24}},
      {{35, 10, 9, 14}, {26, 5, 3, 7}, {.stride = {1, 2}, .padding = {1, 3}, .groups = 2}},
  };
  for (const Case& c : cases) check_case(c, DType::float32, rng, 60, device);
}

DEVICE_TEST_CASE("conv2d has the gradients of central differences") {
  Rng rng(4);
  for (const Case& c : kCases) {
    const auto report = gradcheck(
        [&](const auto& in) { return conv2d(in[0], in[1], in[2], c.options); },
        {rng.uniform(c.x, -1, 1, DType::float64).to(device),
         rng.uniform(c.weight, -1, 1, DType::float64).to(device),
         rng.uniform({c.weight[0]}, -1, 1, DType::float64).to(device)},
        {.step = 1e-3, .max_elements = device == Device::cpu ? 60 : 5});  // linear in each
    CHECK_MESSAGE(report.ok, to_string(c.x), " ", to_string(c.weight), ": ", report.message);
  }
}

DEVICE_TEST_CASE("conv2d without bias, and a gradient of one input only") {
  Rng rng(5);
  for (const int64_t channels : {2, 6}) {
    const Tensor x = rng.uniform({2, channels, 5, 5}, -1, 1, DType::float64).to(device);
    const Tensor w = rng.uniform({3, channels, 3, 3}, -1, 1, DType::float64).to(device);
    const auto of_x = gradcheck([&](const auto& in) { return conv2d(in[0], w); }, {x});
    CHECK_MESSAGE(of_x.ok, of_x.message);
    const auto of_w = gradcheck([&](const auto& in) { return conv2d(x, in[0]); }, {w});
    CHECK_MESSAGE(of_w.ok, of_w.message);
    CHECK(sum(conv2d(x, w) - conv2d(x, w, Tensor::zeros({3}, DType::float64, device))).item() == 0);
  }
}

DEVICE_TEST_CASE("conv2d of many channels, whose products fill several tiles") {
  Rng rng(7);
  const Case cases[] = {
      {{2, 20, 9, 10}, {70, 20, 3, 3}, {.padding = 1}},
      {{3, 66, 6, 7}, {130, 66, 1, 1}},
      {{33, 20, 2, 2}, {25, 20, 1, 1}},
      {{2, 40, 8, 8}, {36, 20, 3, 3}, {.stride = 2, .padding = 1, .groups = 2}},
  };
  for (const Case& c : cases)
    for (const DType dtype : {DType::float32, DType::float64})
      check_case(c, dtype, rng, 60, device);
}

TEST_CASE("conv2d of 1×1 kernels, however the CPU lays images side by side") {
  Rng rng(17);
  const Case cases[] = {
      {{40, 9, 16, 8}, {35, 9, 1, 1}},   // columns of one image
      {{33, 20, 2, 2}, {25, 20, 1, 1}},  // and of several
      {{130, 2, 64, 64}, {9, 2, 1, 1}},  // results that are written past the caches
      // Gradients: images of few pixels beside each other, and lanes half empty.
      {{130, 40, 1, 3}, {72, 40, 1, 1}},
      {{9, 90, 4, 5}, {24, 90, 1, 1}},
      {{70, 16, 6, 6}, {17, 16, 1, 1}},
      {{5, 65, 18, 15}, {33, 65, 1, 1}},
  };
  for (const Case& c : cases)
    for (const DType dtype : {DType::float32, DType::float64})
      check_case(c, dtype, rng, 60, Device::cpu);
}

TEST_CASE("conv2d by Winograd's transforms") {
  Rng rng(12);
  const Case cases[] = {
      {{2, 20, 9, 10}, {70, 20, 3, 3}, {.padding = 1}},
      {{3, 5, 4, 4}, {7, 5, 3, 3}, {.padding = 1}},  // fewer channels than lanes, one tile
      {{2, 16, 8, 8}, {16, 16, 3, 3}, {.padding = 1}},
      {{1, 3, 3, 3}, {2, 3, 3, 3}},  // one output pixel
      {{2, 17, 7, 13}, {33, 17, 3, 3}, {.padding = {0, 2}}},
      {{1, 4, 1, 30}, {3, 4, 3, 3}, {.padding = {2, 0}}},
      {{40, 16, 12, 12}, {16, 16, 3, 3}, {.padding = 1}},   // chunks of several images
      {{1, 40, 130, 70}, {40, 40, 3, 3}, {.padding = 1}},   // and of rows of tiles
      {{18, 130, 4, 4}, {300, 130, 3, 3}, {.padding = 1}},  // all threads on one chunk
      {{0, 16, 5, 5}, {16, 16, 3, 3}, {.padding = 1}},
      {{2, 0, 4, 4}, {3, 0, 3, 3}},
      {{2, 3, 4, 4}, {0, 3, 3, 3}},
  };
  for (const Case& c : cases)
    for (const DType dtype : {DType::float32, DType::float64}) {
      CAPTURE(to_string(c.x));
      CAPTURE(to_string(c.weight));
      CAPTURE(c.options.padding);
      const Conv2dProblem p = problem_of(c);
      REQUIRE(cpu::kWinograd.is_possible(p, dtype));
      const Tensors t(c, p, dtype, rng);
      poison_new_storage(true);
      Tensor y = Tensor::empty_like(t.dy), dx = Tensor::empty_like(t.x);
      Tensor dweight = Tensor::empty_like(t.weight);
      cpu::kWinograd.forward(p, t.x, t.weight, t.bias, y);
      cpu::kWinograd.backward_data(p, t.weight, t.dy, dx);
      cpu::kWinograd.backward_weight(p, t.x, t.dy, dweight);
      poison_new_storage(false);
      CHECK(t.y.error_of(y) <= 60);
      CHECK(t.dx.error_of(dx) <= 60);
      CHECK(t.dweight.error_of(dweight) <= 60);
    }
}

TEST_CASE("conv2d by Winograd's transforms writes large results past the caches, the same ones") {
  Rng rng(14);
  const Case cases[] = {
      {{2, 4, 384, 384}, {16, 4, 3, 3}, {.padding = 1}},
      // Rows of tiles that do not begin with whole vectors.
      {{2, 3, 1608, 10}, {160, 3, 3, 3}, {.padding = 1}},
  };
  for (const Case& c : cases) {
    const Conv2dProblem two = problem_of(c);
    Conv2dProblem one = two;
    one.images = 1;
    const Tensor x = rng.uniform(c.x, -1, 1), weight = rng.uniform(c.weight, -1, 1);
    Tensor y = Tensor::zeros({2, two.out_channels, two.output.h, two.output.w});
    Tensor y_of_one = Tensor::zeros({1, two.out_channels, two.output.h, two.output.w});
    REQUIRE(y.size() * 4 >= 16 << 20);
    REQUIRE(y_of_one.size() * 4 < 16 << 20);
    cpu::kWinograd.forward(two, x, weight, Tensor(), y);
    for (int64_t n = 0; n < 2; ++n) {
      cpu::kWinograd.forward(one, slice(x, 0, n, n + 1), weight, Tensor(), y_of_one);
      const std::vector<float> found = slice(y, 0, n, n + 1).to_vector<float>();
      CHECK(found == y_of_one.to_vector<float>());
    }
  }
}

TEST_CASE("conv2d takes Winograd's transforms only where that is allowed, and for float32") {
  Rng rng(13);
  const Tensor x = rng.uniform({2, 16, 8, 8}, -1, 1), w = rng.uniform({16, 16, 3, 3}, -1, 1);
  const auto run = [&](DType dtype, bool allowed) {
    allow_winograd(allowed);
    const Tensor y = conv2d(x.to(dtype), w.to(dtype), {}, {.padding = 1});
    allow_winograd(true);
    return y.to(DType::float64).to_vector<double>();
  };
  CHECK(run(DType::float32, true) != run(DType::float32, false));
  CHECK(run(DType::float64, true) == run(DType::float64, false));
}

TEST_CASE("conv2d may round its factors to TF32 [cuda]") {
  struct Allow {
    Allow() { allow_tf32(true); }
    ~Allow() { allow_tf32(false); }
  };
  Rng rng(8);
  const Case cases[] = {{{2, 20, 9, 10}, {70, 20, 3, 3}, {.padding = 1}},
                        {{2, 40, 8, 8}, {36, 20, 3, 3}, {.stride = 2, .groups = 2}}};
  for (const Case& c : cases) {
    // Factors are off by 2⁻¹¹ of themselves at most, products by twice that: 2¹³ roundings.
    const Allow allowed;
    check_case(c, DType::float32, rng, 8192, Device::cuda);
    check_case(c, DType::float64, rng, 60, Device::cuda);
  }
  const Tensor x = rng.uniform({1, 24, 5, 5}, 0.5, 1).to(Device::cuda);
  const Tensor w = rng.uniform({24, 24, 3, 3}, 0.5, 1).to(Device::cuda);
  const std::vector<float> exact = conv2d(x, w).to_vector<float>();
  const Allow allowed;
  CHECK(conv2d(x, w).to_vector<float>() != exact);
}

DEVICE_TEST_CASE("conv2d gives the same bits on every run") {
  const Case cases[] = {{{9, 20, 8, 8}, {20, 20, 3, 3}, {.padding = 1}},
                        {{9, 6, 9, 9}, {6, 1, 3, 3}, {.groups = 6}}};
  for (const Case& c : cases) {
    const auto run = [&] {
      Rng rng(9);
      Tensor x = rng.uniform(c.x, -1, 1).to(device).requires_grad_();
      Tensor weight = rng.uniform(c.weight, -1, 1).to(device).requires_grad_();
      Tensor bias = rng.uniform({c.weight[0]}, -1, 1).to(device).requires_grad_();
      Tape tape;
      const Tensor y = conv2d(x, weight, bias, c.options);
      tape.backward(sum(y * y));
      return std::vector{y.to_vector<float>(), x.grad().to_vector<float>(),
                         weight.grad().to_vector<float>(), bias.grad().to_vector<float>()};
    };
    CHECK(run() == run());
  }
}

TEST_CASE("conv2d saves only what the gradients need") {
  Tensor x = Tensor::ones({1, 1, 3, 3}), weight = Tensor::ones({1, 1, 3, 3}).requires_grad_();
  Tape tape;
  const Tensor y = conv2d(x, weight);
  weight.detach().fill_(2);  // dweight needs x only
  tape.backward(y, {.keep = true});
  CHECK(weight.grad().at({0, 0, 1, 1}) == 1);
  x.fill_(2);
  CHECK_THROWS_WITH_AS(tape.backward(y),
                       doctest::Contains("backward of conv2d: a tensor of shape [1, 1, 3, 3]"),
                       Error);
}

TEST_CASE("conv2d has the same bits for any number of threads") {
  const int threads = num_threads();
  const Case cases[] = {{{37, 1, 12, 12}, {6, 1, 5, 5}, {.padding = 2}},
                        {{50, 6, 7, 7}, {5, 6, 3, 3}, {.padding = 1}},
                        {{33, 8, 10, 10}, {8, 8, 3, 3}, {.padding = 1}},
                        {{1, 36, 30, 30}, {12, 36, 3, 3}},
                        {{60, 40, 8, 8}, {100, 40, 1, 1}},
                        {{200, 70, 2, 2}, {30, 70, 1, 1}},
                        {{20, 24, 9, 9}, {24, 1, 3, 3}, {.padding = 1, .groups = 24}}};
  for (const Case& c : cases) {
    auto run = [&](int n) {
      set_num_threads(n);
      Rng rng(6);
      Tensor x = rng.uniform(c.x, -1, 1).requires_grad_();
      Tensor weight = rng.uniform(c.weight, -1, 1).requires_grad_();
      Tensor bias = rng.uniform({c.weight[0]}, -1, 1).requires_grad_();
      Tape tape;
      const Tensor y = conv2d(x, weight, bias, c.options);
      tape.backward(sum(y * y));
      return std::vector{y.to_vector<float>(), x.grad().to_vector<float>(),
                         weight.grad().to_vector<float>(), bias.grad().to_vector<float>()};
    };
    const auto one = run(1), two = run(2), three = run(3);
    set_num_threads(threads);
    CHECK(one == two);
    CHECK(one == three);
  }
}

TEST_CASE("conv2d asks the system for no memory after the first step") {
  const int threads = num_threads();
  set_num_threads(1);
  for (const int64_t channels : {1, 8}) {
    Tensor x = Tensor::ones({5, channels, 9, 9}).requires_grad_();
    Tensor weight = Tensor::ones({4, channels, 3, 3}).requires_grad_();
    auto step = [&] {
      Tape tape;
      tape.backward(sum(conv2d(x, weight)));
      return allocator_stats().system_allocations;
    };
    step();
    step();
    const uint64_t before = step();
    CHECK(step() == before);
  }
  set_num_threads(threads);
}

TEST_CASE("conv2d says which method it takes") {
  const auto text = [](const Case& c, cpu::Pass pass, DType dtype = DType::float32) {
    return cpu::describe_method(problem_of(c), dtype, pass);
  };
  CHECK(
      text({{128, 64, 32, 32}, {64, 64, 3, 3}, {.padding = 1}}, cpu::Pass::forward) ==
      "conv2d forward, x [128, 64, 32, 32], weight [64, 64, 3, 3], stride 1, padding 1: winograd");
  CHECK(text({{2, 64, 8, 9}, {32, 64, 1, 1}}, cpu::Pass::backward_weight, DType::float64) ==
        "conv2d backward to weight, x [2, 64, 8, 9], weight [32, 64, 1, 1], stride 1, padding 0, "
        "float64: pointwise");
  CHECK(text({{2, 64, 12, 8}, {64, 1, 5, 3}, {.stride = {2, 1}, .dilation = 2, .groups = 64}},
             cpu::Pass::backward_data)
            .starts_with("conv2d backward to x, x [2, 64, 12, 8], weight [64, 1, 5, 3], "
                         "stride 2×1, padding 0, dilation 2, groups 64: "));
}

TEST_CASE("a convolution for the next test to run in a process of its own" * doctest::skip()) {
  for (int step = 0; step < 2; ++step) {
    Tensor x = Tensor::ones({1, 16, 8, 8}).requires_grad_();
    Tensor weight = Tensor::ones({32, 16, 1, 1}).requires_grad_();
    Tape tape;
    tape.backward(sum(conv2d(x, weight)));
  }
}

TEST_CASE("PADE_VERBOSE=conv2d prints the method of each problem and pass once") {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto printed = [&](const std::string& topic) {
    const std::string command = "PADE_VERBOSE=" + topic + " '" + program +
                                "' --no-skip --test-case='a convolution for the next test*' " +
                                "2>&1 >/dev/null | grep '^conv2d '";
    FILE* output = popen(command.c_str(), "r");
    REQUIRE(output);
    std::string text(1000, ' ');
    text.resize(std::fread(text.data(), 1, text.size(), output));
    pclose(output);
    return text;
  };
  const std::string problem =
      ", x [1, 16, 8, 8], weight [32, 16, 1, 1], stride 1, padding 0: pointwise\n";
  CHECK(printed("conv2d") == "conv2d forward" + problem + "conv2d backward to x" + problem +
                                 "conv2d backward to weight" + problem);
  CHECK(printed("conv") == "");
}

TEST_CASE("conv2d refuses what does not fit together") {
  const Tensor x = Tensor::ones({128, 3, 32, 32}), w = Tensor::ones({6, 3, 5, 5});
  CHECK_THROWS_WITH_AS(conv2d(x, Tensor::ones({6, 1, 5, 5})),
                       "conv2d: input has 3 channels, weight expects 1 (input [128, 3, 32, 32], "
                       "weight [6, 1, 5, 5])",
                       Error);
  CHECK_THROWS_WITH_AS(conv2d(Tensor::ones({128, 1, 32, 32}), w),
                       doctest::Contains("conv2d: input has 1 channel, weight expects 3 "), Error);
  CHECK_THROWS_WITH_AS(conv2d(Tensor::ones({3, 32, 32}), w),
                       "conv2d: expected input [N, C, H, W] and weight [O, C/groups, KH, KW], got "
                       "input [3, 32, 32] and weight [6, 3, 5, 5]",
                       Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.groups = 2}),
                       "conv2d: 3 input channels and 6 output channels cannot be cut into 2 groups "
                       "(input [128, 3, 32, 32], weight [6, 3, 5, 5])",
                       Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.groups = 0}), doctest::Contains("cut into 0 groups"),
                       Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.groups = 3}),
                       doctest::Contains("input has 1 channel per group, weight expects 3"), Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w, Tensor::ones({3})),
                       "conv2d: expected bias of shape [6], got [3] (weight [6, 3, 5, 5])", Error);
  CHECK_THROWS_WITH_AS(
      conv2d(x, w, Tensor::ones({6}, DType::float64)),
      doctest::Contains("expected one dtype, got weight float32 [6, 3, 5, 5] and bias "
                        "float64 [6]"),
      Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w.to(DType::float64)),
                       doctest::Contains("expected one dtype, got input float32"), Error);
  CHECK_THROWS_WITH_AS(conv2d(x.to(DType::int32), w),
                       "conv2d: expected float32 or float64, got int32", Error);
  CHECK_THROWS_WITH_AS(
      conv2d(Tensor::ones({1, 3, 4, 9}), w, {}, {.dilation = {1, 2}}),
      "conv2d: a window of 5×9 pixels does not fit into an image of 4×9 with a padding of 0×0 "
      "(kernel 5×5, dilation 1×2)",
      Error);
  CHECK_THROWS_WITH_AS(conv2d(x, Tensor::ones({6, 3, 0, 5})),
                       "conv2d: expected a kernel from 1 to 1073741824, got 0×5", Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.stride = {1, 0}}),
                       "conv2d: expected a stride from 1 to 1073741824, got 1×0", Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.padding = -1}),
                       "conv2d: expected a padding from 0 to 1073741824, got -1×-1", Error);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.dilation = int64_t{1} << 62}),
                       doctest::Contains("expected a dilation"), Error);
  CHECK_THROWS_AS(conv2d(x, w, {}, {.padding = 1 << 30}), Error);  // more than can be counted
  CHECK_THROWS_WITH_AS(conv2d(Tensor(), w),
                       "conv2d: input is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(conv2d(x, Tensor()),
                       "conv2d: weight is undefined; assign a tensor to it first", Error);
  if (is_available(Device::cuda))
    CHECK_THROWS_WITH_AS(conv2d(x, w.to(Device::cuda)),
                         "conv2d: expected one device, got input on cpu and weight on cuda", Error);
}
