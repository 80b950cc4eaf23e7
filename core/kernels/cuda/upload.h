#pragma once

#include <functional>

#include <pade/core/tensor.h>

namespace pade::cuda {

/// Begins to copy a tensor of the CPU to the GPU, beside the kernels that run there; the tensor may
/// be changed or dropped at once. The function that is returned gives the copy: kernels launched
/// after its call wait for the copying, those launched before it do not. So the next batch travels
/// while the GPU works on this one.
std::function<Tensor()> begin_upload(const Tensor& tensor);

}  // namespace pade::cuda
