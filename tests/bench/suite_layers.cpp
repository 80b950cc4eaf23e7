// The ops that layers are made of, at the shapes they have in the networks of examples/models.
#include <memory>
#include <utility>

#include <pade/core/ops/cross_entropy.h>
#include <pade/core/ops/dropout.h>
#include <pade/core/ops/linear.h>
#include <pade/core/ops/matmul.h>
#include <pade/core/ops/pool.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/ops/softmax.h>
#include <pade/core/random.h>
#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/conv.h>

#include "suite.h"

namespace pade::bench {
namespace {

// ---- Convolutions -------------------------------------------------------------------------------

struct Convolution {
  const char* kind;
  int64_t in, out, size, kernel, stride, padding;
  int64_t groups = 1;
  bool of_images = false;  // which get no gradient

  int64_t out_size() const { return (size + 2 * padding - kernel) / stride + 1; }
};

constexpr Convolution kConvolutions[] = {
    {"3x3_s1", 64, 64, 32, 3, 1, 1},
    {"3x3_s1", 128, 128, 16, 3, 1, 1},
    {"3x3_s1", 256, 256, 8, 3, 1, 1},
    {"3x3_s1", 512, 512, 4, 3, 1, 1},
    {"3x3_s2", 64, 128, 32, 3, 2, 1},
    {"3x3_s2", 128, 256, 16, 3, 2, 1},
    {"3x3_s2", 256, 512, 8, 3, 2, 1},
    {"5x5", 1, 6, 28, 5, 1, 2, 1, true},
    {"5x5", 6, 16, 14, 5, 1, 0},
    {"1x1_s2", 64, 128, 32, 1, 2, 0},
    {"1x1", 24, 144, 32, 1, 1, 0},
    {"1x1", 144, 32, 32, 1, 1, 0},
    {"1x1", 160, 960, 4, 1, 1, 0},
    {"1x1", 320, 1280, 4, 1, 1, 0},
    {"depthwise_3x3_s1", 144, 144, 32, 3, 1, 1, 144},
    {"depthwise_3x3_s2", 144, 144, 32, 3, 2, 1, 144},
    {"depthwise_3x3_s1", 960, 960, 4, 3, 1, 1, 960},
    {"depthwise_5x5_s1", 240, 240, 8, 5, 1, 2, 240},
    {"stem", 3, 64, 32, 3, 1, 1, 1, true},
    {"stem", 3, 32, 32, 3, 1, 1, 1, true},
};

void add_convolution(const Convolution& c, int64_t batch) {
  const Shape input{batch, c.in, c.size, c.size};
  const int64_t x = input.size(), w = c.out * c.in / c.groups * c.kernel * c.kernel;
  const int64_t y = batch * c.out * c.out_size() * c.out_size();
  // A product for each tap of each element of the result, padded ones included; and as many for the
  // gradient of the filters, and for that of x.
  const double flops =
      2. * static_cast<double>(y) * static_cast<double>(w) / static_cast<double>(c.out);
  const Cost forward{flops, floats(x + w + y)};
  const Cost of_filters{flops, floats(x + y + w)}, of_input{flops, floats(w + x)};
  const Cost training = forward + of_filters + (c.of_images ? Cost{} : of_input);
  add_passes(
      "conv2d/" + std::string(c.kind) + "/" + extents(input) + "_to_" + std::to_string(c.out),
      forward, training, [=] {
        const auto layer = std::make_shared<Conv2d>(c.in, c.out,
                                                    Conv2dLayerOptions{.kernel = c.kernel,
                                                                       .stride = c.stride,
                                                                       .padding = c.padding,
                                                                       .groups = c.groups,
                                                                       .bias = false});
        const Tensor images = c.of_images ? random_numbers(input) : leaf(input);
        return Function([=] { return (*layer)(images); });
      });
}

// ---- Matrix products ----------------------------------------------------------------------------

/// Of [m, k] and [k, n]; forward and backward are three of one size.
Cost cost_of_product(int64_t m, int64_t n, int64_t k) {
  return {2. * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k),
          floats(m * k + k * n + m * n)};
}

void add_products(int64_t batch) {
  const std::pair<int64_t, int64_t> layers[] = {
      {400, 120}, {120, 84}, {84, 10}, {512, 10}, {1280, 10}};
  for (const auto& [in, out] : layers) {
    const Cost product = cost_of_product(batch, out, in);
    add_passes("linear/" + extents({batch, in}) + "_to_" + std::to_string(out), product,
               product + product + product, [=, in = in, out = out] {
                 const Tensor x = leaf({batch, in}), weight = leaf({out, in}), bias = leaf({out});
                 return Function([=] { return linear(x, weight, bias); });
               });
  }
  const Cost product = cost_of_product(512, 512, 512);
  for (const bool transpose : {false, true})
    add_passes(transpose ? "matmul_transpose_b/512x512x512" : "matmul/512x512x512", product,
               product + product + product, [=] {
                 const Tensor a = leaf({512, 512}), b = leaf({512, 512});
                 return Function([=] { return matmul(a, b, {.transpose_b = transpose}); });
               });
}

// ---- Batch norm, and what follows it ------------------------------------------------------------

/// x is read for the statistics, then again for y, which is written; backwards x and dy are read
/// twice, too, and dx is written. An activation behind it changes nothing in that: it needs neither
/// y nor another pass.
void add_batch_norms(int64_t batch) {
  const Shape shapes[] = {{batch, 64, 32, 32},
                          {batch, 128, 16, 16},
                          {batch, 256, 8, 8},
                          {batch, 512, 4, 4},
                          {batch, 144, 32, 32}};
  for (const Shape& shape : shapes) {
    const Cost forward{0, 3 * floats(shape.size())}, training{0, 8 * floats(shape.size())};
    for (const std::string activation : {"", "relu", "swish", "hp1"})
      add_passes("batch_norm" + (activation.empty() ? "" : "_" + activation) + "/" + extents(shape),
                 forward, training, [=] {
                   const auto norm = std::make_shared<BatchNorm2d>(shape[1]);
                   const Tensor x = leaf(shape);
                   if (activation.empty()) return Function([=] { return (*norm)(x); });
                   const std::shared_ptr<Activation> then = make_activation(activation, shape[1]);
                   return Function([=] { return (*then)((*norm)(x)); });
                 });
  }
}

// ---- Pooling, dropout, losses -------------------------------------------------------------------

/// Of `from` numbers `to` are made: read and written; backwards the gradient goes the other way,
/// for which the maximum's place, or x itself, may have to be read: that is not counted.
void add_pool(const std::string& name, const Shape& input, int64_t pixels_per_result,
              Tensor (*pool)(const Tensor& x)) {
  const Cost forward{0, floats(input.size() + input.size() / pixels_per_result)};
  add_passes(name + "/" + extents(input), forward, forward + forward, [=] {
    const Tensor x = leaf(input);
    return Function([=] { return pool(x); });
  });
}

void add_pools(int64_t batch) {
  for (const Shape& shape :
       {Shape{batch, 6, 28, 28}, Shape{batch, 16, 10, 10}, Shape{batch, 64, 32, 32}}) {
    add_pool("max_pool2d", shape, 4, [](const Tensor& x) { return max_pool2d(x, 2); });
    add_pool("avg_pool2d", shape, 4, [](const Tensor& x) { return avg_pool2d(x, 2); });
  }
  add_pool("max_pool2d_3x3_s2", {batch, 64, 32, 32}, 4,
           [](const Tensor& x) { return max_pool2d(x, 3, 2, 1); });
  for (const Shape& shape :
       {Shape{batch, 512, 4, 4}, Shape{batch, 1280, 4, 4}, Shape{batch, 96, 16, 16}})
    add_pool("global_avg_pool2d", shape, shape[2] * shape[3], global_avg_pool2d);
}

void add_losses(int64_t batch) {
  for (const int64_t classes : {10, 1000}) {
    const Shape shape{batch, classes};
    const double bytes = floats(shape.size());
    // The loss reads the logits; backward reads their probabilities, or them, and writes a
    // gradient.
    add_passes("cross_entropy/" + extents(shape), {0, bytes}, {0, 3 * bytes}, [=] {
      const Tensor logits = leaf(shape);
      const Tensor labels =
          Rng(0, "labels").integers({shape[0]}, 0, static_cast<int32_t>(shape[1]));
      return Function([=] { return cross_entropy(logits, labels); });
    });
    add_passes("softmax/" + extents(shape), {0, 2 * bytes}, {0, 5 * bytes}, [=] {
      const Tensor x = leaf(shape);
      return Function([=] { return softmax(x); });
    });
    add_passes("log_softmax/" + extents(shape), {0, 2 * bytes}, {0, 5 * bytes}, [=] {
      const Tensor x = leaf(shape);
      return Function([=] { return log_softmax(x); });
    });
    add_passes("mse/" + extents(shape), {0, 2 * bytes}, {0, 5 * bytes}, [=] {
      const Tensor x = leaf(shape), target = random_numbers(shape);
      return Function([=] { return mse(x, target); });
    });
  }
}

void add_dropouts(int64_t batch) {
  for (const Shape& shape : {Shape{batch, 320, 1, 1}, Shape{batch, 64, 32, 32}})
    add_passes("dropout/" + extents(shape), {0, 2 * floats(shape.size())},
               {0, 4 * floats(shape.size())}, [=] {
                 const auto rng = std::make_shared<Rng>(0, "dropout");
                 const Tensor x = leaf(shape);
                 return Function([=] { return dropout(x, .2, *rng); });
               });
}

}  // namespace

void add_layers(int64_t batch) {
  for (const Convolution& convolution : kConvolutions) add_convolution(convolution, batch);
  add_products(batch);
  add_batch_norms(batch);
  add_pools(batch);
  add_losses(batch);
  add_dropouts(batch);
}

}  // namespace pade::bench
