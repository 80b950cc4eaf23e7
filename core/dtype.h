#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include <pade/core/error.h>

namespace pade {

/// float32 to work in, float64 for gradient checks and fits, int32 for labels, uint8 for pixels.
enum class DType : uint8_t { float32, float64, int32, uint8 };

const char* name_of(DType dtype);
size_t size_of(DType dtype);  ///< bytes per element
std::ostream& operator<<(std::ostream& out, DType dtype);

inline bool is_floating(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

/// The DType of a C++ scalar type; there is none for types that tensors cannot hold.
template <class T>
constexpr DType dtype_of() = delete;
template <>
constexpr DType dtype_of<float>() {
  return DType::float32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::float64;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::int32;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::uint8;
}

/// Calls f with a zero of the scalar type that `dtype` names, float32 and float64 only:
///   dispatch_floating(x.dtype(), "relu", [&](auto zero) { using T = decltype(zero); ... });
template <class F>
void dispatch_floating(DType dtype, const char* op, F&& f) {
  switch (dtype) {
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    default: fail(op, ": expected float32 or float64, got ", name_of(dtype));
  }
}

/// The same for every dtype.
template <class F>
void dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    case DType::int32: return f(int32_t{});
    case DType::uint8: return f(uint8_t{});
  }
}

}  // namespace pade
