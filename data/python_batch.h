#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pade::data {

/// Reads a file of CIFAR's "python version", a pickled dictionary of an array of pixels `data`,
/// uint8 [N, pixels], and lists of N labels. Returns it as the "binary version" has it: for each
/// image the labels under `label_keys`, a byte each, and the pixels.
///
/// No code is run, as unpickling may do: of what pickles can hold, only numbers, strings, lists,
/// dictionaries and NumPy's arrays are read. Throws Error with the path for everything else, and
/// unless all is as it should be; memory stays in proportion to the file.
std::string read_python_batch(const std::filesystem::path& path,
                              const std::vector<std::string>& label_keys, size_t pixels);

}  // namespace pade::data
