#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/tensor.h>

namespace pade::data {

enum class Split { train, test };
const char* name_of(Split split);

/// What all images of a set have in common.
struct DatasetInfo {
  std::string name;
  Shape image_shape;  ///< [channels, height, width]
  int64_t num_classes = 0;
  std::vector<double> mean, std;  ///< of pixel/255 over the training images, per channel
  std::vector<std::string> class_names = {};  ///< by label; none: "0", "1", …
};

/// A set of labelled images of one size, with bytes as pixels, which a Loader makes batches of. One
/// of your own says in its constructor what its images have in common, and overrides size() and
/// read().
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;
  /// Writes the pixels of image `index`, [C, H, W], and returns its label, in [0, num_classes()).
  /// May be called from several threads at once.
  virtual int32_t read(int64_t index, uint8_t* pixels) const = 0;

  const std::string& name() const { return info_.name; }
  const Shape& image_shape() const { return info_.image_shape; }
  int64_t num_classes() const { return info_.num_classes; }
  const std::vector<double>& mean() const { return info_.mean; }
  const std::vector<double>& std() const { return info_.std; }
  /// By label.
  const std::vector<std::string>& class_names() const { return info_.class_names; }

  /// (value/255 − mean[c]) / std[c] for each value of a pixel: [C, 256].
  const std::vector<float>& levels() const { return levels_; }
  /// image[c, h, w] = (pixel/255 − mean[c]) / std[c], which is what a network sees.
  void normalize(const uint8_t* pixels, float* image) const;
  /// read() and normalize(). Throws Error when there is no image of that index.
  void load(int64_t index, float* image, int32_t& label) const;

 protected:
  /// Throws Error unless the shape has three axes, and mean and std one number per channel, those
  /// of std above 0, and there is a name for each class, or none at all.
  explicit Dataset(DatasetInfo info);

 private:
  DatasetInfo info_;
  std::vector<float> levels_;
};

/// One whose images are all in memory. Several can share them.
class StoredDataset : public Dataset {
 public:
  /// A row of `images`, and its label.
  using Sample = std::pair<int64_t, int32_t>;

  /// `images` are uint8 [N, C, H, W], or any shape with as many elements in a row.
  StoredDataset(DatasetInfo info, Tensor images, std::vector<Sample> samples)
      : Dataset(std::move(info)), images_(std::move(images)), samples_(std::move(samples)) {}

  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  int32_t read(int64_t index, uint8_t* pixels) const override;

 private:
  Tensor images_;
  std::vector<Sample> samples_;
};

/// Samples that are rows of two tensors of your own, which a Loader makes batches of:
///
///   data::TensorDataset set(x, y);  // x [N, features], float32; y [N, 1], float32
///   for (auto [features, targets] : data::Loader(set, {.batch_size = 32, .shuffle = true})) …
///
/// Features are [N, …], targets [N, …], each of any dtype: int32 [N] are classes for
/// cross_entropy(), floating ones of the network's output shape are values for mse(). Like a Tensor
/// this is a handle that shares storage: no loop may run while the tensors change.
class TensorDataset {
 public:
  /// Throws Error unless both are on the CPU and have as many rows, at least one.
  TensorDataset(const Tensor& features, const Tensor& targets);

  int64_t size() const { return features_.extent(0); }
  const Tensor& features() const { return features_; }
  const Tensor& targets() const { return targets_; }

 private:
  Tensor features_, targets_;
};

}  // namespace pade::data
