#pragma once

#include <pade/core/tensor.h>

/// What Tensor's own methods do with elements. Tensors of one call have one shape and, but for
/// convert(), one dtype.
namespace pade::cpu {

/// Every element becomes `value`, converted.
void fill(Tensor& tensor, double value);
/// to = from, converted.
void convert(const Tensor& from, Tensor& to);
/// to += alpha · other, of floating dtypes.
void add_scaled(Tensor& to, const Tensor& other, double alpha);
/// tensor *= factor, of floating dtypes.
void scale(Tensor& tensor, double factor);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::fill) fill;
decltype(cpu::convert) convert;
decltype(cpu::add_scaled) add_scaled;
decltype(cpu::scale) scale;

}  // namespace pade::cuda
