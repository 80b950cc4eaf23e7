#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ostream>

#include <pade/core/error.h>

namespace pade {

/// float32 to work in, float64 for gradient checks and fits, int32 for labels, uint8 for pixels.
enum class DType : uint8_t { float32, float64, int32, uint8 };

/// The DType of a C++ scalar type; there is none for types that tensors cannot hold.
template <class T>
requires std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, int32_t> ||
    std::same_as<T, uint8_t>
constexpr DType dtype_of() {
  if constexpr (std::same_as<T, float>) return DType::float32;
  if constexpr (std::same_as<T, double>) return DType::float64;
  if constexpr (std::same_as<T, int32_t>) return DType::int32;
  return DType::uint8;
}

/// f(a zero of the scalar type that `dtype` names), float32 and float64 only:
///   dispatch_floating(x.dtype(), "relu", [&](auto zero) { using T = decltype(zero); ... });
template <class F>
auto dispatch_floating(DType dtype, const char* op, F&& f) {
  switch (dtype) {
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    default: fail(op, ": expected float32 or float64, got ", dtype);
  }
}

/// The same for every dtype.
template <class F>
auto dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::int32: return f(int32_t{});
    case DType::uint8: return f(uint8_t{});
    default: return dispatch_floating(dtype, "dispatch", f);
  }
}

inline bool is_floating(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

/// Bytes per element.
inline size_t size_of(DType dtype) {
  return dispatch(dtype, [](auto zero) { return sizeof(zero); });
}

inline const char* name_of(DType dtype) {
  constexpr const char* kNames[]{"float32", "float64", "int32", "uint8"};
  const auto number = static_cast<size_t>(dtype);
  return number < std::size(kNames) ? kNames[number] : "no dtype";
}
inline std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

}  // namespace pade
