#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <pade/core/kernels/loop_nest.h>
#include <pade/core/kernels/math/divisor.h>
#include <pade/core/kernels/math/host_device.h>

/// A LoopNest for threads that each look up where an element is, instead of walking there.
namespace pade {

/// The first kOperands operands of a LoopNest, for lookups in 32 bits. Goes into a kernel by value.
template <int kOperands>
class LookupNest {
 public:
  struct Place {
    uint32_t of[kOperands];
  };

  /// The nest must be one of parts_of(). Not inlined: every launch of a kernel has it.
  [[gnu::noinline]] explicit LookupNest(const LoopNest& nest)
      : size_(static_cast<uint32_t>(nest.size())), inner_axes_(std::max(0, nest.rank - 1)) {
    if (nest.rank == 0 || size_ == 0) return;
    for (int k = 0; k < kOperands; ++k) {
      outermost_strides_[k] = static_cast<uint32_t>(nest.axes[0].strides[k]);
      innermost_strides_[k] = static_cast<uint32_t>(nest.inner().strides[k]);
    }
    for (int i = 0; i < inner_axes_; ++i) {
      const LoopNest::Axis& loop = nest.axes[nest.rank - 1 - i];
      axes_[i].extent = static_cast<uint32_t>(loop.extent);
      axes_[i].divisor = Divisor(axes_[i].extent);
      for (int k = 0; k < kOperands; ++k)
        axes_[i].strides[k] = static_cast<uint32_t>(loop.strides[k]);
    }
  }

  PADE_HD uint32_t size() const { return size_; }

  /// How far each operand moves along the innermost axis.
  PADE_HD uint32_t inner_stride(int operand) const { return innermost_strides_[operand]; }

  /// Where the operands are at element `number`, in row-major order.
  PADE_HD Place at(uint32_t number) const {
    Place place{};
    PADE_UNROLL
    for (int i = 0; i < Shape::kMaxRank - 1; ++i) {
      if (i >= inner_axes_) break;
      const uint32_t outer = axes_[i].divisor.quotient(number);
      const uint32_t index = number - outer * axes_[i].extent;
      for (int k = 0; k < kOperands; ++k) place.of[k] += index * axes_[i].strides[k];
      number = outer;
    }
    for (int k = 0; k < kOperands; ++k) place.of[k] += number * outermost_strides_[k];
    return place;
  }

 private:
  struct Axis {
    uint32_t extent = 1;
    Divisor divisor;
    uint32_t strides[kOperands] = {};
  };

  uint32_t size_;
  int inner_axes_;                       // all but the outermost …
  Axis axes_[Shape::kMaxRank - 1] = {};  // … innermost first, to be unrolled
  uint32_t outermost_strides_[kOperands] = {};
  uint32_t innermost_strides_[kOperands] = {};
};

/// A part of a nest: where the operands are at its first element, and that element's number.
struct NestPart {
  LoopNest nest;
  Offsets at{};
  int64_t first = 0;
};

inline void add_parts(const NestPart& part, int64_t limit, std::vector<NestPart>& parts) {
  const LoopNest& nest = part.nest;
  int64_t reach = nest.size();
  for (size_t k = 0; k < part.at.size(); ++k) {
    int64_t last = 0;
    for (int i = 0; i < nest.rank; ++i) last += (nest.axes[i].extent - 1) * nest.axes[i].strides[k];
    reach = std::max(reach, last);
  }
  if (nest.size() == 0 || reach <= limit) return parts.push_back(part);
  int outermost = 0;
  while (nest.axes[outermost].extent == 1) ++outermost;
  NestPart lower = part, upper = part;
  LoopNest::Axis& loop = lower.nest.axes[outermost];
  loop.extent /= 2;
  upper.nest.axes[outermost].extent -= loop.extent;
  for (size_t k = 0; k < upper.at.size(); ++k) upper.at[k] += loop.extent * loop.strides[k];
  upper.first += lower.nest.size();
  add_parts(lower, limit, parts);
  add_parts(upper, limit, parts);
}

/// Cuts a nest into parts that LookupNest can take, along its outermost axes and in order: one
/// unless there are some 2³¹ elements.
inline std::vector<NestPart> parts_of(const LoopNest& nest,
                                      int64_t limit = std::numeric_limits<int32_t>::max()) {
  std::vector<NestPart> parts;
  add_parts({nest}, limit, parts);
  return parts;
}

}  // namespace pade
