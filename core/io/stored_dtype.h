#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <pade/core/tensor.h>

namespace pade {

/// The elements of other programs' files, under safetensors' and NumPy's names for them, and what
/// they are read as: the same, or a wider dtype where Padé does not have theirs.
struct StoredDType {
  const char* name;   ///< F32
  const char* numpy;  ///< <f4; null where NumPy has none
  size_t bytes;       ///< per element
  DType dtype;
  /// Writes the elements of which these are the bytes; null where they are the bytes. Throws Error
  /// for one that does not fit.
  void (*widen)(const std::string& bytes, Tensor& tensor) = nullptr;
};

/// The one whose `kind` of name is that, as in find_stored_dtype(&StoredDType::numpy, "<f4"); null
/// when there is none.
const StoredDType* find_stored_dtype(const char* StoredDType::*kind, std::string_view name);
/// What a tensor of that dtype is written as.
const StoredDType& stored_dtype_of(DType dtype);

/// A tensor of elements that `read(to, bytes)` gives the bytes of.
Tensor read_elements(const StoredDType& stored, const Shape& shape,
                     const std::function<void(void*, size_t)>& read);
/// The bytes of a tensor on the CPU.
std::string_view bytes_of(const Tensor& tensor);

}  // namespace pade
