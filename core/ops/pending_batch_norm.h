#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include <pade/core/kernels/cpu/fusion.h>

namespace pade {

/// On the CPU batch_norm() computes statistics only, and promises its result. An elementwise op
/// that comes next takes the promise for its input, and reads x instead: one pass over memory in
/// the place of two, and one tensor less. Whoever else asks for the result gets it computed then,
/// so that nobody can tell; a tape shows what was fused as `batch_norm+relu`.
struct PendingBatchNorm : Promise {
  BatchNormProblem problem;
  Tensor x, gamma, beta;             // as they were given
  Tensor gamma_values, beta_values;  // as they were then
  Tensor mean, inverse;
  uint64_t tape = 0;   // generation of the tape on which the result has a place, 0: none …
  int64_t index = -1;  // … and its number there

  std::shared_ptr<Storage> fulfil() override;
};

/// Null unless `z` waits for a batch_norm() whose inputs can take its place on the recording tape.
/// While the pointer lives, no other thread computes z, or changes x, and z must not be read. The
/// op's parameters, which may wait for something too, are computed first.
std::shared_ptr<const PendingBatchNorm> pending_batch_norm(
    const Tensor& z, std::initializer_list<const Tensor*> parameters = {});

/// op(z), where `z` is what `pending` has promised; recorded. parameters[i] are the op's inputs
/// besides z.
Tensor apply_to_pending(const PendingBatchNorm& pending, const Tensor& z,
                        std::shared_ptr<const cpu::ElementwiseOp> op,
                        const std::vector<const Tensor*>& parameters);

}  // namespace pade
