#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <pade/data/dataset.h>

namespace pade::data {

/// Reads a file of CIFAR's "python version", a pickled dictionary of an array of pixels `data`,
/// uint8 [N, pixels], and lists of N labels. Returns the records of the "binary version": of each
/// image the labels under `label_keys`, a byte each, then the pixels.
///
/// No code is run, as unpickling may do: of what pickles can hold, only numbers, strings, lists,
/// dictionaries and NumPy's arrays are read. Throws Error with the path for everything else, and
/// unless pixels and labels are as they should be; memory stays in proportion to the file.
std::string read_python_batch(const std::filesystem::path& path,
                              const std::vector<std::string>& label_keys, size_t pixels);

/// `folder/name`, or else the same without its ending, as files of the Python version are called;
/// empty when there is none of them.
std::filesystem::path find_batch(const std::filesystem::path& folder, std::string_view name);

/// Colour photographs [3, 32, 32] in ten classes; 50,000 images to train with in data_batch_1.bin …
/// data_batch_5.bin, 10,000 to test in test_batch.bin. `folder` holds these files, or those of the
/// Python version, without .bin (https://www.cs.toronto.edu/~kriz/cifar.html has both), or a folder
/// cifar-10-batches-bin or cifar-10-batches-py that does. Throws Error when one is missing, or is
/// not a whole number of records, or has a label that there is not.
class Cifar10 final : public StoredDataset {
 public:
  Cifar10(const std::filesystem::path& folder, Split split);
};

/// The same with a hundred fine classes, or the twenty coarse ones that group them; 50,000 images
/// in train.bin, 10,000 in test.bin, or in a folder cifar-100-binary or cifar-100-python.
class Cifar100 final : public StoredDataset {
 public:
  enum class Labels { fine, coarse };
  Cifar100(const std::filesystem::path& folder, Split split, Labels labels = Labels::fine);
};

}  // namespace pade::data
