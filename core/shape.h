#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

namespace pade {

/// The extents of a tensor, at most kMaxRank of them, none negative: `[128, 6, 28, 28]`.
/// A scalar has rank 0 and one element.
class Shape {
 public:
  static constexpr int kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents)
      : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents);

  int rank() const { return rank_; }
  /// `axis` as a number in [0, rank); negative axes count from the end. Throws Error otherwise.
  int resolve_axis(int axis) const;
  /// The extent along such an axis.
  int64_t operator[](int axis) const { return extents_[resolve_axis(axis)]; }
  /// The number of elements: the product of the extents.
  int64_t size() const { return size_; }

  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }

  /// This shape with one extent replaced.
  Shape with(int axis, int64_t extent) const;
  /// The product of the extents before / from `axis` on (axis may equal rank()).
  int64_t size_before(int axis) const;
  int64_t size_from(int axis) const;

  bool operator==(const Shape& other) const = default;

 private:
  std::array<int64_t, kMaxRank> extents_{};  // 0 beyond the rank
  int rank_ = 0;
  int64_t size_ = 1;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);
std::string to_string(const Shape& shape);

}  // namespace pade
