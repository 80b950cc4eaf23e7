#pragma once

#include <optional>
#include <vector>

#include <pade/core/kernels/loop_nest.h>
#include <pade/core/kernels/problems.h>

namespace pade {

/// The operands of a copy's loop nest.
inline constexpr int kFrom = 0, kTo = 1;

/// The loops of a copy, without axes of extent 1, and with one axis for neighbours that are walked
/// as one.
LoopNest copy_loops(const std::vector<CopyAxis>& axes);

/// A matrix transposition at every position of the other axes: what is read is contiguous along
/// `rows`, what is written along `columns`.
struct Transposition {
  LoopNest others;
  LoopNest::Axis rows, columns;
};
/// Empty where what is read is contiguous along no axis, or along the innermost one as well.
std::optional<Transposition> as_transposition(const LoopNest& nest);

}  // namespace pade
