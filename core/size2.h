#pragma once

#include <cstdint>
#include <ostream>
#include <string>

namespace pade {

/// Height and width of a kernel, stride, padding or dilation; one number stands for both.
struct Size2 {
  constexpr Size2(int64_t both) : h(both), w(both) {}
  constexpr Size2(int64_t height, int64_t width) : h(height), w(width) {}

  constexpr int64_t area() const { return h * w; }
  bool operator==(const Size2&) const = default;

  int64_t h, w;
};

/// As `3×5`.
inline std::ostream& operator<<(std::ostream& out, const Size2& size) {
  return out << std::to_string(size.h) + "×" + std::to_string(size.w);
}

}  // namespace pade
