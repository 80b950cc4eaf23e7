#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// Is told of the leaves' gradients while Tape::backward() goes on, so that it can send them
/// elsewhere meanwhile.
class GradientObserver {
 public:
  virtual ~GradientObserver() = default;
  /// All that this pass contributes to the leaf has arrived in `gradient`. It may be changed until
  /// finish() returns; then it is assigned to the leaf, or added where one accumulates.
  virtual void ready(Leaf& leaf, Tensor& gradient) = 0;
  /// All leaves that get a gradient in this pass were shown to ready().
  virtual void finish() = 0;
};

}  // namespace pade
