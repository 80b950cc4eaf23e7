#include <ostream>

#include <pade/core/dtype.h>

namespace pade {

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::float32: return "float32";
    case DType::float64: return "float64";
    case DType::int32: return "int32";
    case DType::uint8: return "uint8";
  }
  return "unknown";
}

size_t size_of(DType dtype) {
  size_t bytes = 0;
  dispatch(dtype, [&](auto zero) { bytes = sizeof(zero); });
  return bytes;
}

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

}  // namespace pade
