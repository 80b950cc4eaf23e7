#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/stored_dtype.h>

namespace pade {
namespace {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian and are read and written without conversion");

/// IEEE 754's binary16.
struct Float16 {
  uint16_t bits;

  operator float() const {
    const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    const float size = exponent == 31 ? (mantissa ? NAN : INFINITY)
                       : exponent == 0
                           ? std::ldexp(static_cast<float>(mantissa), -24)
                           : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
    return std::copysign(size, bits >> 15 ? -1.0f : 1.0f);
  }
};

/// The upper half of a float32.
struct BFloat16 {
  uint16_t bits;

  operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

/// Elements as the file has them, as those of a wider dtype.
template <class From, class To>
void widen(const std::string& bytes, Tensor& tensor) {
  To* to = tensor.mutable_data<To>();
  for (size_t at = 0; at < bytes.size(); at += sizeof(From)) {
    From value;
    std::memcpy(&value, &bytes[at], sizeof value);
    if constexpr (std::is_integral_v<From>)
      check(std::in_range<To>(value), "has the element ", value, ", which int32 cannot hold");
    *to++ = static_cast<To>(value);
  }
}

constexpr StoredDType kDTypes[] = {{"F32", "<f4", 4, DType::float32},
                                   {"F64", "<f8", 8, DType::float64},
                                   {"I32", "<i4", 4, DType::int32},
                                   {"U8", "|u1", 1, DType::uint8},
                                   {"BOOL", "|b1", 1, DType::uint8, widen<uint8_t, uint8_t>},
                                   {"F16", "<f2", 2, DType::float32, widen<Float16, float>},
                                   {"BF16", nullptr, 2, DType::float32, widen<BFloat16, float>},
                                   {"I8", "|i1", 1, DType::int32, widen<int8_t, int32_t>},
                                   {"I16", "<i2", 2, DType::int32, widen<int16_t, int32_t>},
                                   {"U16", "<u2", 2, DType::int32, widen<uint16_t, int32_t>},
                                   {"U32", "<u4", 4, DType::int32, widen<uint32_t, int32_t>},
                                   {"I64", "<i8", 8, DType::int32, widen<int64_t, int32_t>},
                                   {"U64", "<u8", 8, DType::int32, widen<uint64_t, int32_t>}};

}  // namespace

const StoredDType* find_stored_dtype(const char* StoredDType::*kind, std::string_view name) {
  const auto* found = std::ranges::find_if(
      kDTypes, [&](const StoredDType& known) { return known.*kind && known.*kind == name; });
  return found == std::end(kDTypes) ? nullptr : found;
}

const StoredDType& stored_dtype_of(DType dtype) {
  return *std::ranges::find_if(
      kDTypes, [&](const StoredDType& known) { return known.dtype == dtype && !known.widen; });
}

Tensor read_elements(const StoredDType& stored, const Shape& shape,
                     const std::function<void(void*, size_t)>& read) {
  Tensor tensor = Tensor::empty(shape, stored.dtype);
  if (stored.widen) {
    std::string bytes(static_cast<size_t>(shape.size()) * stored.bytes, '\0');
    read(bytes.data(), bytes.size());
    stored.widen(bytes, tensor);
  } else {
    dispatch(tensor.dtype(),
             [&](auto zero) { read(tensor.mutable_data<decltype(zero)>(), tensor.bytes()); });
  }
  return tensor;
}

std::string_view bytes_of(const Tensor& tensor) {
  return dispatch(tensor.dtype(), [&](auto zero) -> std::string_view {
    return {reinterpret_cast<const char*>(tensor.data<decltype(zero)>()), tensor.bytes()};
  });
}

}  // namespace pade
