#include <algorithm>
#include <utility>

#include <pade/core/error.h>
#include <pade/data/dataset.h>

namespace pade::data {

const char* name_of(Split split) { return split == Split::train ? "train" : "test"; }

Dataset::Dataset(DatasetInfo info) : info_(std::move(info)) {
  check(info_.image_shape.rank() == 3, info_.name,
        ": expected images [channels, height, width], got ", info_.image_shape);
  const size_t channels = static_cast<size_t>(info_.image_shape[0]);
  check(info_.mean.size() == channels && info_.std.size() == channels, info_.name, ": ", channels,
        " channels want as many means and standard deviations, got ", info_.mean.size(), " and ",
        info_.std.size());
  std::vector<std::string>& names = info_.class_names;
  if (names.empty())
    for (int label = 0; label < info_.num_classes; ++label) names.push_back(std::to_string(label));
  check(std::ssize(names) == info_.num_classes, info_.name, ": ", info_.num_classes,
        " classes want as many names, got ", names.size());
  levels_.reserve(channels * 256);
  for (size_t c = 0; c < channels; ++c) {
    check(info_.std[c] > 0, info_.name, ": the standard deviation of channel ", c, " is ",
          info_.std[c], ", expected above 0");
    for (int pixel = 0; pixel < 256; ++pixel)
      levels_.push_back(static_cast<float>((pixel / 255.0 - info_.mean[c]) / info_.std[c]));
  }
}

void Dataset::normalize(const uint8_t* pixels, float* __restrict image) const {
  const int64_t plane = info_.image_shape.size_from(1);
  for (int64_t c = 0; c < info_.image_shape[0]; ++c) {
    const float* levels = levels_.data() + c * 256;
    for (int64_t i = c * plane; i < (c + 1) * plane; ++i) image[i] = levels[pixels[i]];
  }
}

void Dataset::load(int64_t index, float* image, int32_t& label) const {
  check(index >= 0 && index < size(), name(), ": image ", index, " is out of range; there are ",
        size());
  std::vector<uint8_t> pixels(static_cast<size_t>(image_shape().size()));
  label = read(index, pixels.data());
  normalize(pixels.data(), image);
}

int32_t StoredDataset::read(int64_t index, uint8_t* pixels) const {
  const auto& [row, label] = samples_[static_cast<size_t>(index)];
  const int64_t bytes = image_shape().size();
  std::copy_n(images_.data<uint8_t>() + row * bytes, bytes, pixels);
  return label;
}

TensorDataset::TensorDataset(const Tensor& features, const Tensor& targets) {
  check(features.defined() && targets.defined(), "TensorDataset: the ",
        features.defined() ? "targets" : "features",
        " are undefined; assign a tensor to them first");
  check(!features.on_cuda() && !targets.on_cuda(), "TensorDataset: expected tensors on the CPU; ",
        "the Loader copies batches to LoaderOptions::device");
  check(features.rank() >= 1 && targets.rank() >= 1 && features.extent(0) == targets.extent(0),
        "TensorDataset: expected features [N, …] and targets [N, …], got ", features.shape(),
        " and ", targets.shape());
  check(features.extent(0) >= 1, "TensorDataset: there are no samples (features ", features.shape(),
        ", targets ", targets.shape(), ")");
  features_ = features.detach();
  targets_ = targets.detach();
}

}  // namespace pade::data
