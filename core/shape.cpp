#include <algorithm>
#include <ostream>
#include <string>

#include <pade/core/error.h>
#include <pade/core/shape.h>

namespace pade {

Shape::Shape(std::span<const int64_t> extents) : rank_(static_cast<int>(extents.size())) {
  check(extents.size() <= kMaxRank, "shape: rank ", extents.size(), " is above the limit of ",
        kMaxRank);
  std::copy(extents.begin(), extents.end(), extents_.begin());
  for (int64_t extent : extents) {
    check(extent >= 0, "shape: extent ", extent, " is negative");
    check(!__builtin_mul_overflow(size_, extent, &size_), "shape: too many elements to count");
  }
}

int Shape::resolve_axis(int axis) const {
  const int resolved = axis < 0 ? axis + rank_ : axis;
  check(resolved >= 0 && resolved < rank_, "axis ", axis, " is out of range for shape ", *this);
  return resolved;
}

Shape Shape::with(int axis, int64_t extent) const {
  std::array<int64_t, kMaxRank> extents = extents_;
  extents[resolve_axis(axis)] = extent;
  return Shape(std::span(extents.data(), rank_));
}

int64_t Shape::size_before(int axis) const {
  int64_t product = 1;
  for (int i = 0; i < axis; ++i) product *= extents_[i];
  return product;
}

int64_t Shape::size_from(int axis) const {
  int64_t product = 1;
  for (int i = axis; i < rank_; ++i) product *= extents_[i];
  return product;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.rank(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ']';
}

}  // namespace pade
