#include <vector>

#include <pade/core/ops/conv2d_kernels.h>
#include <pade/core/ops/reduce_loops.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Measured: with more channels, the products are worth the cost of laying out a matrix for gemm.
bool has_few_channels(const Conv2dProblem& problem) { return problem.group_in() <= 4; }

}  // namespace

void conv2d_forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, Tensor& y) {
  (has_few_channels(problem) ? direct::forward : im2col::forward)(problem, x, weight, bias, y);
}

void conv2d_backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                          Tensor& dx) {
  (has_few_channels(problem) ? direct::backward_data : im2col::backward_data)(problem, weight, dy,
                                                                              dx);
}

void conv2d_backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                            Tensor& dweight) {
  (has_few_channels(problem) ? direct::backward_weight : im2col::backward_weight)(problem, x, dy,
                                                                                  dweight);
}

void conv2d_backward_bias(const Tensor& dy, Tensor& dbias) {
  dispatch_floating(dy.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const int64_t channels = dy.extent(1), pixels = dy.shape().size_from(2);
    const T* from = dy.data<T>();
    std::vector<double> sums(dy.extent(0) * channels);
    const int64_t planes_per_block = std::max<int64_t>(1, kElementBlock / pixels);
    parallel_for(dy.extent(0) * channels, planes_per_block, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) Sum<T>::add_run(sums[i], from + i * pixels, 0, pixels);
    });
    std::vector<double> totals(channels, 0);
    for (size_t i = 0; i < sums.size(); ++i) totals[i % channels] += sums[i];
    std::copy(totals.begin(), totals.end(), dbias.mutable_data<T>());
  });
}

}  // namespace pade::cpu
