#include <span>
#include <vector>

#include <pade/core/parallel.h>
#include <pade/core/tensor_kernels.h>
#include <pade/optim/clip_kernels.h>

namespace pade::cpu {
namespace {

double sum_of_squares_of(const Tensor& tensor, const Tensor& scale) {
  std::vector<double> partial(blocks_of(tensor.size(), kElementBlock), 0);
  dispatch_floating(tensor.dtype(), "grad_norm", [&](auto zero) {
    using T = decltype(zero);
    const T* values = tensor.data<T>();
    const T* scales = scale.defined() ? scale.data<T>() : nullptr;
    parallel_for(tensor.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      const auto sum_of = [begin, end](auto value) {
        double total = 0;
#pragma omp simd reduction(+ : total)
        for (int64_t i = begin; i < end; ++i) total += value(i) * value(i);
        return total;
      };
      const double total =
          scales ? sum_of([=](int64_t i) { return double{values[i]} * double{scales[i]}; })
                 : sum_of([=](int64_t i) { return double{values[i]}; });
      partial[begin / kElementBlock] = total;
    });
  });
  double total = 0;
  for (double value : partial) total += value;
  return total;
}

}  // namespace

void sum_of_squares(std::span<const Tensor> tensors, std::span<const Tensor> scales, double& sum) {
  sum = 0;
  for (size_t i = 0; i < tensors.size(); ++i) sum += sum_of_squares_of(tensors[i], scales[i]);
}

void scale_all(std::span<Tensor> tensors, double factor) {
  for (Tensor& tensor : tensors) scale(tensor, factor);
}

}  // namespace pade::cpu
