#pragma once

#include <pade/core/ops/cross_entropy.h>

namespace pade {

/// A tensor seen as [outer, classes, inner]: softmax normalises its lines along `classes`.
struct SoftmaxLines {
  int64_t outer, classes, inner;
};

namespace cpu {

void softmax_forward(const SoftmaxLines& lines, bool log, const Tensor& x, Tensor& y);
void softmax_backward(const SoftmaxLines& lines, bool log, const Tensor& y, const Tensor& dy,
                      Tensor& dx);

/// The position of the first label outside [0, classes); −1 when there is none.
int64_t find_bad_label(const Tensor& labels, int64_t classes);
/// `loss` is [N] for Reduction::none and a scalar otherwise.
void cross_entropy_forward(const CrossEntropyOptions& options, const Tensor& logits,
                           const Tensor& labels, Tensor& loss);
void cross_entropy_backward(const CrossEntropyOptions& options, const Tensor& logits,
                            const Tensor& labels, const Tensor& dloss, Tensor& dlogits);

}  // namespace cpu

namespace cuda {

decltype(cpu::softmax_forward) softmax_forward;
decltype(cpu::softmax_backward) softmax_backward;
decltype(cpu::cross_entropy_forward) cross_entropy_forward;
decltype(cpu::cross_entropy_backward) cross_entropy_backward;

}  // namespace cuda
}  // namespace pade
