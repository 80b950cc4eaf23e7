#pragma once

namespace pade {

/// The part of a batch that a process computes at once, where several processes share each batch,
/// or one goes through it in parts.
struct BatchPart {
  double share = 1;   ///< of the batch's samples; the shares of all parts add up to 1
  bool first = true;  ///< of this process's parts of the batch
  bool last = true;
};

}  // namespace pade
