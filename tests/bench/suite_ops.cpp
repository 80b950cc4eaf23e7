// What moves and combines elements: arithmetic, functions of one number, sums, copies.
#include <algorithm>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/augment.h>
#include <pade/core/ops/compare.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>

#include "suite.h"

namespace pade::bench {
namespace {

// ---- Functions of one number --------------------------------------------------------------------

using Unary = Tensor (*)(const Tensor& x);

/// Reads x and writes y; backwards reads dy, and x or y, and writes dx.
void add_unary(const std::string& name, const Shape& shape, Unary function,
               bool above_zero = false) {
  add_passes(name + "/" + extents(shape), {0, 2 * floats(shape.size())},
             {0, 5 * floats(shape.size())}, [=] {
               Tensor x = random_numbers(shape);
               if (above_zero) x = abs(x) + .1;
               x.requires_grad_();
               return Function([=] { return function(x); });
             });
}

void add_unaries(const Shape& shape) {
  add_unary("exp", shape, exp);
  add_unary("log", shape, log, true);
  add_unary("sqrt", shape, sqrt, true);
  add_unary("abs", shape, abs);
  add_unary(
      "power", shape, [](const Tensor& x) { return power(x, 1.5); }, true);
  add_unary("sin", shape, sin);
  add_unary("cos", shape, cos);
  add_unary("tanh", shape, tanh);
  add_unary("sigmoid", shape, sigmoid);
  add_unary("clamp", shape, [](const Tensor& x) { return clamp(x, -1, 1); });
  add_unary("relu", shape, relu);
  add_unary("leaky_relu", shape, [](const Tensor& x) { return leaky_relu(x); });
  add_unary("add_number", shape, [](const Tensor& x) { return x + 1.5; });
  add_unary("mul_number", shape, [](const Tensor& x) { return x * 1.5; });
}

void add_formulas(const Shape& shape) {
  for (const Formula& formula : all_formulas())
    add_passes(
        std::string("formula/") + formula.name + "/" + extents(shape),
        {0, 2 * floats(shape.size())}, {0, 5 * floats(shape.size())}, [&formula, shape] {
          const std::vector<double> starts = formula.starts();
          const std::vector<float> values(starts.begin(), starts.end());
          Tensor constants = Tensor::from(values, {static_cast<int64_t>(values.size())});
          std::vector<bool> learns;
          for (const Formula::Constant& constant : formula.constants)
            learns.push_back(constant.learns);
          if (std::find(learns.begin(), learns.end(), true) != learns.end())
            constants.requires_grad_();
          const Tensor x = leaf(shape);
          return Function([=, &formula] { return apply_formula(formula, x, constants, learns); });
        });
}

// ---- Arithmetic ---------------------------------------------------------------------------------

using Binary = Tensor (*)(const Tensor& a, const Tensor& b);

/// Forward reads a and b. Backward reads dy and writes da and db; `reads_operands`: and reads a and
/// b for that.
void add_binary(const std::string& name, const Shape& a, const Shape& b, Binary function,
                bool reads_operands) {
  const double operands = floats(a.size() + b.size()), result = floats(a.size());
  add_passes(name + "/" + extents(a) + (a == b ? "" : "_with_" + extents(b)),
             {0, operands + result}, {0, 2 * (operands + result) + (reads_operands ? operands : 0)},
             [=] {
               Tensor left = leaf(a), right = (abs(random_numbers(b)) + .1).requires_grad_();
               return Function([=] { return function(left, right); });
             });
}

void add_arithmetic(const Shape& images) {
  const Shape of_channels{images[1], 1, 1}, of_each{images[0], images[1], 1, 1};
  add_binary("add", images, images, add, false);
  add_binary("sub", images, images, sub, false);
  add_binary("mul", images, images, mul, true);
  add_binary("div", images, images, div, true);
  add_binary("minimum", images, images, minimum, true);
  add_binary("maximum", images, images, maximum, true);
  add_binary("add", images, of_channels, add, false);  // a bias
  add_binary("mul", images, of_channels, mul, true);
  add_binary("mul", images, of_each, mul, true);  // squeeze and excitation
  const double bytes = floats(images.size()), of_choice = static_cast<double>(images.size());
  add_passes("where/" + extents(images), {0, 3 * bytes + of_choice}, {0, 6 * bytes + 2 * of_choice},
             [=] {
               const Tensor a = leaf(images), b = leaf(images);
               const Tensor choice = greater(random_numbers(images), .5);
               return Function([=] { return where(choice, a, b); });
             });
}

// ---- Sums and maxima ----------------------------------------------------------------------------

/// Reads all; backwards writes all. The results are few.
void add_reduction(const std::string& name, const Shape& shape, Unary function) {
  add_passes(name + "/" + extents(shape), {0, floats(shape.size())}, {0, 2 * floats(shape.size())},
             [=] {
               const Tensor x = leaf(shape);
               return Function([=] { return function(x); });
             });
}

void add_reductions(const Shape& images) {
  add_reduction("sum", images, [](const Tensor& x) { return sum(x); });
  add_reduction("sum_of_channels", images, [](const Tensor& x) { return sum(x, {0, 2, 3}); });
  add_reduction("mean_of_pixels", images, [](const Tensor& x) { return mean(x, {2, 3}); });
  add_reduction("max", images, [](const Tensor& x) { return max(x); });
  add_reduction("max_of_pixels", images, [](const Tensor& x) { return max(x, {2, 3}); });
  add_work("argmax_of_channels/" + extents(images), {0, floats(images.size())}, [=] {
    const Tensor x = random_numbers(images);
    return Work([=] { argmax(x, 1); });
  });
}

// ---- Copies -------------------------------------------------------------------------------------

void add_copies(const Shape& images) {
  // Read and written, forward and backward.
  const Cost once{0, 2 * floats(images.size())}, half{0, floats(images.size())};
  add_passes("concat_of_channels/" + extents(images) + "_twice", once + once,
             once + once + once + once, [=] {
               const Tensor a = leaf(images), b = leaf(images);
               return Function([=] { return concat({a, b}, 1); });
             });
  add_passes("pad/" + extents(images), once, once + once, [=] {
    const Tensor x = leaf(images);
    return Function([=] { return pad(x, {{0, 0}, {0, 0}, {4, 4}, {4, 4}}); });
  });
  // Backward fills the other half with zeros.
  add_passes("slice_of_channels/" + extents(images), half, half + half + half, [=] {
    const Tensor x = leaf(images);
    return Function([=] { return slice(x, 1, 0, images[1] / 2); });
  });
  add_passes("transpose/" + extents(images), once, once + once, [=] {
    const Tensor x = leaf(images);
    return Function([=] { return transpose(x, 2, 3); });
  });
  add_passes("permute_to_nhwc/" + extents(images), once, once + once, [=] {
    const Tensor x = leaf(images);
    return Function([=] { return permute(x, {0, 2, 3, 1}); });
  });
}

/// A byte read and four written for each number.
void add_augment(const Shape& images) {
  add_work("augment/" + extents(images), {0, 5 * static_cast<double>(images.size())}, [=] {
    Rng rng(0, "augment");
    const Tensor pixels = rng.integers(images, 0, 256).to(DType::uint8);
    Tensor edits = rng.integers({images[0], kImageEditFields}, -4, 5);  // mirrored, shifted
    int32_t* edit = edits.mutable_data<int32_t>();
    for (int64_t i = 0; i < images[0]; ++i, edit += kImageEditFields) {
      int32_t* shown = edit + kShownBox;
      shown[0] = shown[1] = 0;
      shown[2] = static_cast<int32_t>(images[2]);
      shown[3] = static_cast<int32_t>(images[3]);
    }
    const Tensor levels = random_numbers({images[1], 256});
    return Work([=] { augment(pixels, edits, levels); });
  });
}

}  // namespace

void add_ops(int64_t batch) {
  const Shape images{batch, 64, 32, 32};
  add_unaries(images);
  add_formulas({batch, 64, 16, 16});
  add_arithmetic(images);
  add_reductions(images);
  add_copies(images);
  add_augment({batch, 3, 32, 32});
}

}  // namespace pade::bench
