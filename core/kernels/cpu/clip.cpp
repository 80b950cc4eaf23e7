#include <span>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

double sum_of_squares_of(const Tensor& tensor, double factor) {
  std::vector<double> partial(blocks_of(tensor.size(), kElementBlock), 0);
  dispatch_floating(tensor.dtype(), "grad_norm", [&](auto zero) {
    using T = decltype(zero);
    const T* values = tensor.data<T>();
    parallel_for(tensor.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      double total = 0;
#pragma omp simd reduction(+ : total)
      for (int64_t i = begin; i < end; ++i) {
        const double value = factor * double{values[i]};
        total += value * value;
      }
      partial[begin / kElementBlock] = total;
    });
  });
  double total = 0;
  for (double value : partial) total += value;
  return total;
}

void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum) {
  sum = 0;
  for (size_t i = 0; i < tensors.size(); ++i) sum += sum_of_squares_of(tensors[i], factors[i]);
}

void scale_all(std::span<Tensor> tensors, double factor) {
  for (Tensor& tensor : tensors) kernels_of(tensor).scale(tensor, factor);
}

}  // namespace

void add_clip(Kernels& kernels) {
  kernels.sum_of_squares = sum_of_squares;
  kernels.scale_all = scale_all;
}

}  // namespace pade::cpu
