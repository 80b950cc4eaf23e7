// Functions of one element, random numbers, and images.

#include <span>
#include <variant>
#include <vector>

#include <pade/core/kernels/math/augment.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

void fill(Result tensor, double value) {
  for (int64_t i = 0; i < tensor.size(); ++i) tensor[i] = value;
}

void convert(const Array& from, Result to) {
  for (int64_t i = 0; i < to.size(); ++i) to[i] = from[i];
}

void add_scaled(Updated to, const Array& other, double alpha) {
  for (int64_t i = 0; i < to.size(); ++i) to[i] += alpha * other[i];
}

void scale(std::span<Tensor> tensors, double factor) {
  for (Tensor& tensor : tensors) {
    Updated x(tensor);
    for (int64_t i = 0; i < x.size(); ++i) x[i] *= factor;
  }
}

/// Element i is number i % kPerBlock of block i / kPerBlock.
template <class Numbers>
void draw(const Rng& rng, const Numbers& numbers, Result y) {
  for (int64_t i = 0; i < y.size(); ++i)
    y[i] = numbers(rng.block_at(i / Numbers::kPerBlock))[i % Numbers::kPerBlock];
}

void fill_uniform(const Rng& rng, double low, double high, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "uniform", [&]<class T>(T) {  // each dtype has its own bits
    draw(rng, UniformNumbers<T>{static_cast<T>(low), static_cast<T>(high - low)}, tensor);
  });
}

void fill_normal(const Rng& rng, double mean, double deviation, Tensor& tensor) {
  draw(rng, NormalNumbers<double>{mean, deviation}, tensor);
}

void dropout(const Array& x, double probability, const Rng& rng, Result y) {
  const DropoutStep<double> step(probability);
  for (int64_t i = 0; i < y.size(); ++i) y[i] = step(x[i], rng.block_at(i / 4)[i % 4]);
}

std::vector<double> constants_of(const FormulaProblem& formula,
                                 std::span<const Tensor> parameters) {
  return parameters.empty() ? formula.constants : Array(parameters[0]).values();
}

void elementwise_forward(const ElementwiseProblem& f, std::span<const Tensor> parameters,
                         const Array& x, Result y) {
  if (const auto* rational = std::get_if<RationalProblem>(&f.kind))
    return rational_forward(*rational, parameters, x, y);
  const auto& formula = std::get<FormulaProblem>(f.kind);
  const std::vector<double> c = constants_of(formula, parameters);
  formulas::with_formula(formula.index, [&]<class F>(F) {
    for (int64_t i = 0; i < x.size(); ++i) y[i] = formulas::value_at<F>(x[i], c.data());
  });
}

void elementwise_backward(const ElementwiseProblem& f, std::span<const Tensor> parameters,
                          const Array& saved, const Array& dy, Result dx,
                          std::span<Tensor> gradients) {
  if (const auto* rational = std::get_if<RationalProblem>(&f.kind))
    return rational_backward(*rational, parameters, saved, dy, dx, gradients);
  const auto& formula = std::get<FormulaProblem>(f.kind);
  const std::vector<double> c = constants_of(formula, parameters);
  Tensor unused;
  Result dc(gradients.empty() ? unused : gradients[0]);
  formulas::with_formula(formula.index, [&]<class F>(F) {
    for (int64_t i = 0; i < dy.size(); ++i) {
      if constexpr (formulas::kSavesValue<F>) {
        dx[i] = dy[i] * F::slope_from_value(saved[i]);
      } else {
        const auto y = formulas::all_slopes_at<F>(saved[i], c.data());
        dx[i] = dy[i] * y.slopes[0];
        for (int k = 1; k < formulas::kVariables<F>; ++k)
          if (!gradients.empty()) dc[k - 1] += dy[i] * y.slopes[k];
      }
    }
  });
}

void formula_curvature(int formula, const Array& x, const Array& constants, Result y) {
  formulas::with_formula<formulas::Activations>(formula, [&]<class F>(F) {
    for (int64_t i = 0; i < x.size(); ++i)
      y[i] = formulas::curvature_at<F>(x[i], constants.values().data()).slopes[0].slopes[0];
  });
}

void augment(const Array& pixels, const Tensor& edits, const Array& levels, Result images) {
  const int64_t fields = edits.extent(1);
  const auto h = static_cast<int32_t>(pixels.shape()[2]),
             w = static_cast<int32_t>(pixels.shape()[3]);
  for_each_index(pixels.shape(), [&](const Index& i) {
    const int64_t image = i[0], channel = i[1];
    const auto y = static_cast<int32_t>(i[2]), x = static_cast<int32_t>(i[3]);
    const ImageEditRow edit{edits.data<int32_t>() + image * fields,
                            static_cast<int>((fields - kImageEditFields) / kBoxFields)};
    const int64_t row = edit.source_row(y), column = edit.source_column(x);
    const bool visible =
        edit.shown().contains(y, x) && row >= 0 && row < h && column >= 0 && column < w;
    const double level = visible ? pixels(image, channel, row, column) : 0;
    images(i) = edit.erases(y, x) ? 0 : levels(channel, static_cast<int64_t>(level));
  });
}

}  // namespace

void add_elements(Kernels& kernels) {
  define<fill>(kernels.fill);
  define<convert>(kernels.convert);
  define<add_scaled>(kernels.add_scaled);
  define<scale>(kernels.scale);
  define<fill_uniform>(kernels.fill_uniform);
  define<fill_normal>(kernels.fill_normal);
  define<dropout>(kernels.dropout);
  define<elementwise_forward>(kernels.elementwise_forward);
  define<elementwise_backward>(kernels.elementwise_backward);
  define<formula_curvature>(kernels.formula_curvature);
  define<augment>(kernels.augment);
}

}  // namespace pade::reference
