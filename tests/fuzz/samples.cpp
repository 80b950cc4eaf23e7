// A table of x and y that somebody wants fitted.

#include <cmath>

#include <pade/layers/study/fit_target.h>

#include "fuzz.h"

using namespace pade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::accepts([&] {
    const auto samples = read_samples(fuzz::file_with(fuzz::text_of(data, size)));
    fuzz::require(!samples.empty(), "there is at least one sample");
    for (const FitSample& sample : samples)
      fuzz::require(std::isfinite(sample.x) && std::isfinite(sample.y), "samples are finite");
  });
  return 0;
}
