#pragma once

#include <algorithm>
#include <vector>

#include <pade/core/random.h>
#include <pade/core/tensor.h>
#include <pade/data/dataset.h>

namespace pade::testing {

/// Images [3, height, width] of random pixels above 0, so that none of them is black.
class NoiseSet : public data::Dataset {
 public:
  explicit NoiseSet(int64_t size, int64_t height = 8, int64_t width = 8)
      : Dataset({"noise", {3, height, width}, 10, {0.5, 0.4, 0.3}, {0.2, 0.25, 0.3}}),
        pixels_(Rng(size).integers({size, 3, height, width}, 1, 256).to(DType::uint8)) {}

  int64_t size() const override { return pixels_.extent(0); }

  int32_t read(int64_t index, uint8_t* pixels) const override {
    const uint8_t* from = pixels_.data<uint8_t>() + index * image_shape().size();
    std::copy(from, from + image_shape().size(), pixels);
    return static_cast<int32_t>(index % 10);
  }

  const Tensor& pixels() const { return pixels_; }
  Tensor levels_tensor() const { return Tensor::from(levels(), {3, 256}); }

 private:
  Tensor pixels_;
};

}  // namespace pade::testing
