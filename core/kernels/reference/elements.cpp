// Copies, random numbers, functions of two elements, reductions and images.

#include <span>
#include <variant>
#include <vector>

#include <pade/core/kernels/math/augment.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/kernels/math/reduce.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

/// Element i is number i % kPerBlock of block i / kPerBlock.
template <class Numbers>
void draw(const Rng& rng, const Numbers& numbers, Out& y) {
  for (int64_t i = 0; i < y.size(); ++i)
    y[i] = numbers(rng.block_at(i / Numbers::kPerBlock))[i % Numbers::kPerBlock];
}

/// Calls f(i, result, number) for every element i of x: the result that it goes into, and how many
/// elements went there before it.
void for_each_reduced(const Shape& x, const Shape& kept, const auto& f) {
  std::vector<int64_t> seen(kept.size(), 0);
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t result = broadcast_position(kept, x, i);
    f(i, result, seen[result]++);
  }
}

}  // namespace

void add_elements(Kernels& kernels) {
  kernels.fill = [](Out y, double value) {
    for (int64_t i = 0; i < y.size(); ++i) y[i] = value;
  };
  kernels.convert = [](In x, Out y) {
    for (int64_t i = 0; i < y.size(); ++i) y[i] = x[i];
  };
  kernels.add_scaled = [](InOut y, In x, double alpha) {
    for (int64_t i = 0; i < y.size(); ++i) y[i] += alpha * x[i];
  };
  kernels.scale = [](std::span<Tensor> tensors, double factor) {
    for (InOut x : tensors)
      for (int64_t i = 0; i < x.size(); ++i) x[i] *= factor;
  };

  kernels.strided_copy = [](const std::vector<CopyAxis>& axes, In from, int64_t from_offset,
                            InOut to, int64_t to_offset) {
    int64_t size = 1;
    for (const CopyAxis& axis : axes) size *= axis.extent;
    for (int64_t i = 0; i < size; ++i) {
      int64_t source = from_offset, target = to_offset, outer = i;
      for (auto axis = axes.rbegin(); axis != axes.rend(); outer /= axis++->extent) {
        source += outer % axis->extent * axis->from_stride;
        target += outer % axis->extent * axis->to_stride;
      }
      to[target] = from[source];
    }
  };

  kernels.fill_uniform = [](const Rng& rng, double low, double high, Out y) {
    dispatch_floating(y.dtype(), "uniform", [&]<class T>(T) {  // each dtype has its own bits
      draw(rng, UniformNumbers<T>{T(low), T(high - low)}, y);
    });
  };
  kernels.fill_normal = [](const Rng& rng, double mean, double deviation, Out y) {
    draw(rng, NormalNumbers<double>{mean, deviation}, y);
  };
  kernels.dropout = [](In x, double probability, const Rng& rng, Out y) {
    const DropoutStep<double> step(probability);
    for (int64_t i = 0; i < y.size(); ++i) y[i] = step(x[i], rng.block_at(i / 4)[i % 4]);
  };

  kernels.arithmetic_forward = [](const arithmetic::Function& function, In a, In b, Out y) {
    dispatch(y.dtype(), [&]<class T>(T) {  // sums of int32 wrap around
      for (int64_t i = 0; i < y.size(); ++i) {
        const auto value = [&](const auto& f) { return f.value(T(a.over(y, i)), T(b.over(y, i))); };
        y[i] = std::visit(value, function);
      }
    });
  };
  kernels.arithmetic_backward = [](const arithmetic::Function& function, In dy, In a, In b, Out da,
                                   Out db) {
    for (int64_t i = 0; i < dy.size(); ++i) {
      const double at_a = a.size() > 0 ? a.over(dy, i) : 0, at_b = b.size() > 0 ? b.over(dy, i) : 0;
      const auto add = [&](const auto& f) {
        if (da.size() > 0) da.over(dy, i) += f.gradient_a(dy[i], at_a, at_b);
        if (db.size() > 0) db.over(dy, i) += f.gradient_b(dy[i], at_a, at_b);
      };
      std::visit(add, function);
    }
  };
  kernels.compare = [](const Comparison& comparison, In a, In b, Out y) {
    for (int64_t i = 0; i < y.size(); ++i)
      y[i] = std::visit([&](const auto& f) { return f(a.over(y, i), b.over(y, i)); }, comparison);
  };
  kernels.where_forward = [](In condition, In a, In b, Out y) {
    for (int64_t i = 0; i < y.size(); ++i)
      y[i] = condition.over(y, i) != 0 ? a.over(y, i) : b.over(y, i);
  };
  kernels.where_backward = [](In condition, bool chosen, In dy, Out gradient) {
    for (int64_t i = 0; i < dy.size(); ++i)
      if ((condition.over(dy, i) != 0) == chosen) gradient.over(dy, i) += dy[i];
  };

  kernels.reduce_sum = [](In x, const Shape& kept, double divisor, Out y) {
    for_each_reduced(x.shape(), kept, [&](auto i, auto result, auto) { y[result] += x[i]; });
    for (int64_t i = 0; i < y.size(); ++i) y[i] /= divisor;
  };
  kernels.reduce_max = [](In x, const Shape& kept, Out y, Out winner) {
    for_each_reduced(x.shape(), kept, [&](auto i, auto result, auto number) {
      if (number > 0 && !is_above(x[i], y[result])) return;
      y[result] = x[i];
      winner[result] = static_cast<double>(number);
    });
  };
  kernels.reduce_max_backward = [](In winner, const Shape& kept, In dy, Out dx) {
    for_each_reduced(dx.shape(), kept, [&](auto i, auto result, auto number) {
      if (static_cast<double>(number) == winner[result]) dx[i] = dy[result];
    });
  };

  kernels.augment = [](In pixels, const Tensor& edits, In levels, Out images) {
    const Shape& shape = pixels.shape();
    const int64_t fields = edits.extent(1), boxes = (fields - kImageEditFields) / kBoxFields;
    for_all({shape[0], shape[1], shape[2], shape[3]}, [&](auto image, auto c, auto i, auto j) {
      const ImageEditRow edit{edits.data<int32_t>() + image * fields, static_cast<int>(boxes),
                              shape[2], shape[3]};
      const auto y = static_cast<int32_t>(i), x = static_cast<int32_t>(j);
      const int64_t row = edit.source_row(y), column = edit.source_column(x);
      const double level = edit.shown().contains(y, x) ? pixels(image, c, row, column) : 0;
      images(image, c, i, j) = edit.erases(y, x) ? 0 : levels(c, static_cast<int64_t>(level));
    });
  };
}

}  // namespace pade::reference
