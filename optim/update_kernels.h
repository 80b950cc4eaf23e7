#pragma once

#include <pade/core/tensor.h>
#include <pade/optim/update_math.h>

/// Updates of one parameter, in one pass over it. All tensors have its shape and dtype.
namespace pade::cpu {

/// `buffer` is undefined without momentum.
void sgd_update(const SgdUpdate& update, Tensor& p, const Tensor& gradient, Tensor buffer);
void adam_update(const AdamUpdate& update, Tensor& p, const Tensor& gradient, Tensor& first,
                 Tensor& second);

}  // namespace pade::cpu
