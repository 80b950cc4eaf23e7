#include <pade/core/error.h>
#include <pade/data/tensor_dataset.h>

namespace pade::data {

TensorDataset::TensorDataset(const Tensor& features, const Tensor& targets) {
  check(features.defined() && targets.defined(), "TensorDataset: the ",
        features.defined() ? "targets" : "features",
        " are undefined; assign a tensor to them first");
  check(!features.on_cuda() && !targets.on_cuda(), "TensorDataset: expected tensors on the CPU; ",
        "the Loader copies batches to LoaderOptions::device");
  check(features.rank() >= 1 && targets.rank() >= 1 && features.extent(0) == targets.extent(0),
        "TensorDataset: expected features [N, …] and targets [N, …], got ", features.shape(),
        " and ", targets.shape());
  check(features.extent(0) >= 1, "TensorDataset: there are no samples (features ", features.shape(),
        ", targets ", targets.shape(), ")");
  features_ = features.detach();
  targets_ = targets.detach();
}

}  // namespace pade::data
