// A pickle, as CIFAR's Python version has them.

#include <filesystem>

#include <pade/data/cifar.h>

#include "fuzz.h"

using namespace pade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kPixels = 3072;
  const std::filesystem::path path = fuzz::file_with(fuzz::text_of(data, size));
  fuzz::accepts([&] {
    const std::string records = data::read_python_batch(path, {"labels"}, kPixels);
    fuzz::require(records.size() % (kPixels + 1) == 0, "records are whole");
  });
  return 0;
}
