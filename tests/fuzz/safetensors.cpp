// A file of tensors that somebody else has made. What can be read is written as a file that reads
// the same.

#include <cstring>

#include <pade/core/io/safetensors.h>

#include "fuzz.h"

using namespace pade;

namespace {

bool same_bytes(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  bool same = false;
  dispatch(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    same = a.size() == 0 || std::memcmp(a.data<T>(), b.data<T>(), a.bytes()) == 0;
  });
  return same;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::TemporaryFile copy("safetensors");
  SafetensorsFile file;
  if (!fuzz::accepts([&] { file = read_safetensors(fuzz::file_with(fuzz::text_of(data, size))); }))
    return 0;
  write_safetensors(copy.path(), file.tensors, file.metadata);
  const SafetensorsFile again = read_safetensors(copy.path());
  fuzz::require(again.metadata == file.metadata && again.tensors.size() == file.tensors.size(),
                "what was read and written is read again");
  for (const auto& [name, tensor] : file.tensors)
    fuzz::require(same_bytes(tensor, again.at(name)), "tensors are read again as they were");
  return 0;
}
