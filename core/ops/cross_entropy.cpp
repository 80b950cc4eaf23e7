#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

void check_arguments(const Tensor& logits, const Tensor& labels,
                     const CrossEntropyOptions& options) {
  check_defined("cross_entropy", {{"logits", logits}, {"labels", labels}});
  check(is_floating(logits.dtype()), "cross_entropy: expected logits of float32 or float64, got ",
        logits.dtype());
  check(labels.dtype() == DType::int32, "cross_entropy: expected labels of int32 or uint8, got ",
        labels.dtype(), "; convert them with labels.to(DType::int32)");
  check(logits.rank() == 2 && labels.rank() == 1 && labels.extent(0) == logits.extent(0),
        "cross_entropy: expected logits [N, K] and labels [N], got ", logits.shape(), " and ",
        labels.shape());
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1,
        "cross_entropy: the label smoothing must be in [0, 1], got ", options.label_smoothing);
  check(logits.device() == labels.device(), "cross_entropy: logits are on ", logits.device(),
        ", labels on ", labels.device());
  if (labels.on_cuda()) return;  // to look at them would stop the GPU
  const int32_t* label = labels.data<int32_t>();
  const int64_t classes = logits.extent(1);
  for (int64_t i = 0; i < labels.size(); ++i)
    check(label[i] >= 0 && label[i] < classes, "cross_entropy: label ", label[i], " at position ",
          i, " is out of range for ", classes, " classes (logits ", logits.shape(), ")");
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, CrossEntropyOptions options) {
  if (labels.defined() && labels.dtype() == DType::uint8)
    return cross_entropy(logits, labels.to(DType::int32), options);
  check_arguments(logits, labels, options);
  const CrossEntropyProblem problem{options.label_smoothing, options.reduction == Reduction::none,
                                    options.reduction == Reduction::mean};
  Tensor loss = empty_beside(logits, problem.per_sample ? labels.shape() : Shape{});
  kernels_of(logits).cross_entropy_forward(problem, logits, labels, loss);
  record("cross_entropy", {&logits}, loss, {&logits, &labels}, [problem](Gradients& gradients) {
    const Tensor &logits = gradients.saved(0), &labels = gradients.saved(1);
    gradients.set_computed(0, logits.shape(), [&](Tensor& dlogits) {
      kernels_of(logits).cross_entropy_backward(problem, logits, labels, gradients.of_output(),
                                                dlogits);
    });
  });
  return loss;
}

}  // namespace pade
