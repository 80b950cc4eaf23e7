#pragma once

#include <pade/core/kernels/cuda/conv2d_factors.cuh>

/// The two methods of the GPU.
namespace pade::cuda {

/// Every output channel sees one input channel.
namespace depthwise {

template <class T>
void forward(const ForwardFactors<T>& factors);
template <class T>
void backward_data(const DataFactors<T>& factors);
/// `factors.partial` is not used.
template <class T>
void backward_weight(const WeightFactors<T>& factors, T* dweight);

}  // namespace depthwise

/// All other convolutions, as products of matrices.
namespace implicit_gemm {

template <class T>
void forward(const ForwardFactors<T>& factors);
template <class T>
void backward_data(const DataFactors<T>& factors);
template <class T>
void backward_weight(const WeightFactors<T>& factors, T* dweight);

}  // namespace implicit_gemm
}  // namespace pade::cuda
