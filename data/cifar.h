#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <pade/data/dataset.h>

namespace pade::data {

/// Reads a file of CIFAR's "python version", a pickled dictionary of an array of pixels `data`,
/// uint8 [N, pixels], and lists of N labels. Returns the records of the "binary version": of each
/// image the labels under `label_keys`, a byte each, then the pixels.
///
/// No code is run, as unpickling may do: of what pickles can hold, only numbers, strings, lists,
/// dictionaries and NumPy's arrays are read. Throws Error with the path for everything else, and
/// unless all is as it should be; memory stays in proportion to the file.
std::string read_python_batch(const std::filesystem::path& path,
                              const std::vector<std::string>& label_keys, size_t pixels);

/// Colour photographs [3, 32, 32], held in memory, from files of such records (.bin), or from those
/// of the Python version, without .bin (https://www.cs.toronto.edu/~kriz/cifar.html has both).
class CifarLike : public Dataset {
 public:
  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }
  int32_t read(int64_t index, uint8_t* pixels) const override;
  /// Whether any of its files is one of the Python version.
  bool is_python_version() const { return python_version_; }

 protected:
  /// What the labels in front of the pixels may be, what they are called in the Python version, and
  /// which of them counts.
  struct Labels {
    std::vector<int> classes;
    std::vector<std::string> keys;
    size_t used = 0;
  };

  /// Reads these files one after the other. Throws Error when one is missing, or is not a whole
  /// number of records, or has a label that there is not.
  CifarLike(DatasetInfo info, const std::vector<std::filesystem::path>& files,
            const Labels& labels);

 private:
  std::vector<uint8_t> images_;  // [N, 3, 32, 32]
  std::vector<uint8_t> labels_;
  bool python_version_ = false;
};

/// Ten classes; 50,000 images to train with in data_batch_1.bin … data_batch_5.bin, 10,000 to test
/// in test_batch.bin. `folder` holds these files, or a folder cifar-10-batches-bin, or
/// cifar-10-batches-py, that does.
class Cifar10 final : public CifarLike {
 public:
  Cifar10(const std::filesystem::path& folder, Split split);
};

/// A hundred fine classes, or the twenty coarse ones that group them; 50,000 images in train.bin,
/// 10,000 in test.bin. `folder` holds these files, or a folder cifar-100-binary, or
/// cifar-100-python, that does.
class Cifar100 final : public CifarLike {
 public:
  enum class Labels { fine, coarse };
  Cifar100(const std::filesystem::path& folder, Split split, Labels labels = Labels::fine);
};

}  // namespace pade::data
