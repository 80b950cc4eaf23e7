// Activations as people type them. Whatever can be made has a value and a slope at 1, or says
// at once that it has none.

#include <pade/core/tape.h>
#include <pade/layers/activation.h>

#include "fuzz.h"

using namespace pade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kChannels = 4;
  fuzz::accepts([&] {
    const auto activation = make_activation(fuzz::text_of(data, size), kChannels);
    const Tensor y = (*activation)(Tensor::ones({1, kChannels, 1, 1}));
    fuzz::require(y.size() == kChannels, "an activation keeps the shape");
  });
  return 0;
}
