// The state of a run that goes on. A file that is refused has changed no bit of the network, the
// optimiser or a generator.

#include <cstddef>
#include <cstring>
#include <vector>

#include "fuzz.h"
#include "small_training.h"

using namespace pade;

namespace {

std::vector<std::byte> bits(fuzz::SmallTraining& training) {
  std::vector<std::byte> all;
  const auto add = [&](const void* data, size_t bytes) {
    const auto* first = static_cast<const std::byte*>(data);
    all.insert(all.end(), first, first + bytes);
  };
  for (const auto& tensors : {training.network.state(), training.optimizer.state()})
    for (const auto& [name, tensor] : tensors)
      dispatch(tensor.dtype(),
               [&](auto zero) { add(tensor.data<decltype(zero)>(), tensor.bytes()); });
  for (const auto& [name, rng] : training.network.generators()) {
    const uint64_t counter = rng->counter();
    add(&counter, sizeof counter);
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static fuzz::SmallTraining training;
  const std::vector<std::byte> before = bits(training);
  const std::string path = fuzz::file_with(fuzz::text_of(data, size));
  if (!fuzz::accepts([&] { support::read_state(path, training.state()); }))
    fuzz::require(bits(training) == before, "a file that is refused changes nothing");
  return 0;
}
