#pragma once

#include <filesystem>
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

/// Handwritten digits, [1, 28, 28] in ten classes: 60,000 to train with, 10,000 to test. `folder`
/// holds the files train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, each under one of the names of find_idx(). Throws Error when one of the
/// split's is missing or damaged, and when images and labels do not agree.
class Mnist final : public StoredDataset {
 public:
  Mnist(const std::filesystem::path& folder, Split split);
};

/// Articles of clothing, as a harder drop-in for MNIST (https://arxiv.org/abs/1708.07747).
class FashionMnist final : public StoredDataset {
 public:
  FashionMnist(const std::filesystem::path& folder, Split split);
};

}  // namespace pade::data
