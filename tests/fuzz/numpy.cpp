// An array of NumPy, or an archive of some. What can be read is written as a file that reads the
// same.

#include <pade/core/io/npy.h>

#include "fuzz.h"

using namespace pade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::TemporaryFile copy("npz");
  const auto path = fuzz::file_with(fuzz::text_of(data, size));
  NamedTensors tensors;
  if (!fuzz::accepts([&] {
        tensors = {{"array", read_npy(path)}};
      }) &&
      !fuzz::accepts([&] { tensors = read_npz(path); }))
    return 0;
  if (!fuzz::accepts([&] { write_npz(copy.path(), tensors); }))
    return 0;  // a name that is twice there
  const NamedTensors again = read_npz(copy.path());
  fuzz::require(again.size() == tensors.size(), "what was read and written is read again");
  for (size_t i = 0; i < tensors.size(); ++i)
    fuzz::require(again[i].first == tensors[i].first &&
                      again[i].second.shape() == tensors[i].second.shape() &&
                      again[i].second.dtype() == tensors[i].second.dtype(),
                  "arrays are read again as they were");
  return 0;
}
