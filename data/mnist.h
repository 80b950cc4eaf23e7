#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <pade/core/tensor.h>
#include <pade/data/dataset.h>

namespace pade::data {

/// Reads an array of bytes in the IDX format of MNIST, as it is or gzip'd: two zero bytes, the type
/// (8: unsigned byte), the number of axes (here 1 to 4), their extents (32 bits, big-endian), the
/// elements. Returns them as uint8.
///
/// Throws Error with the path unless all is as it should be, to the last byte; sizes are checked
/// before memory is asked for.
Tensor read_idx(const std::filesystem::path& path);

/// `folder/name`, or else `folder/name.gz`, or else the same with a dot in front of `idx` where
/// `name` has a dash, as some copies of MNIST have it; empty when there is none of them.
std::filesystem::path find_idx(const std::filesystem::path& folder, std::string_view name);

/// Images [1, 28, 28] in ten classes, held in memory, from the four files that MNIST made a custom:
/// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, each under one of the names of find_idx().
class MnistLike : public Dataset {
 public:
  int64_t size() const override { return labels_.size(); }
  int32_t read(int64_t index, uint8_t* pixels) const override;

 protected:
  /// Reads the two files of the split in `folder`. Throws Error when one is missing or damaged, and
  /// when images and labels do not agree.
  MnistLike(const std::filesystem::path& folder, Split split, std::string name, double mean,
            double std);

 private:
  Tensor images_;  // uint8 [N, 28, 28]
  Tensor labels_;  // uint8 [N]
};

/// Handwritten digits: 60,000 to train with, 10,000 to test.
class Mnist final : public MnistLike {
 public:
  Mnist(const std::filesystem::path& folder, Split split)
      : MnistLike(folder, split, "mnist", 0.1307, 0.3081) {}
};

/// Articles of clothing, as a harder drop-in for MNIST (https://arxiv.org/abs/1708.07747).
class FashionMnist final : public MnistLike {
 public:
  FashionMnist(const std::filesystem::path& folder, Split split)
      : MnistLike(folder, split, "fashion-mnist", 0.2860, 0.3530) {}
};

}  // namespace pade::data
