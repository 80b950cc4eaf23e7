#pragma once

#include <functional>
#include <string>

#include <pade/layers/sequential.h>

namespace pade {

/// block(x), of which a tape keeps only x: what lies between is computed once more when its
/// derivatives are due, so that the memory of all those results is traded for one more forward pass
/// (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). Loss, gradients, running
/// statistics and random numbers have the same bits as without:
///
/// * While it computes again, the block's generators and buffers are what they were the first time;
///   afterwards they are as before, so batch norm counts each batch once.
/// * Errors and anomalies name the module as ever. A ForwardObserver sees only the first time.
///
/// Checkpoints nest. Everything that needs a gradient must reach the block as x or be one of its
/// parameters. Until backward() is through, the block must live where it is, in the mode in which
/// it ran (an Error says if not), and x and the parameters must not change (as for every op).
Tensor checkpoint(Module& block, const Tensor& x);

/// The same for a part of what a module does: run(x) uses parameters, buffers and generators of
/// `owner`, or of none.
Tensor checkpoint(Module& owner, std::function<Tensor(const Tensor&)> run, const Tensor& x);

/// A Sequential that runs as one checkpoint. Its parts have the names that they have in a
/// Sequential, so the two can read each other's files.
class CheckpointedSequential : public Sequential {
 public:
  using Sequential::Sequential;
  std::string description() const override { return "CheckpointedSequential"; }

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace pade
