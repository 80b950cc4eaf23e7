// MNIST's format, as it is and gzip'd.

#include <pade/data/mnist.h>

#include "fuzz.h"

using namespace pade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::accepts([&] {
    const Tensor array = data::read_idx(fuzz::file_with(fuzz::text_of(data, size)));
    fuzz::require(array.dtype() == DType::uint8 && array.rank() >= 1 && array.rank() <= 4,
                  "an array has bytes, and one to four axes");
  });
  return 0;
}
