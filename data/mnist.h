#pragma once

#include <filesystem>
#include <string>

#include <pade/core/tensor.h>
#include <pade/data/dataset.h>

namespace pade::data {

/// Images [1, 28, 28] in ten classes, held in memory, from the four files that MNIST made a custom:
/// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, each as it is or gzip'd (.gz), also
/// with a dot in front of idx (train-images.idx3-ubyte).
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
