#pragma once

#include <pade/core/error.h>
#include <pade/data/dataset.h>

namespace pade::testing {

/// Image i is [2, 2, 3], its pixels are 7·i + 11·position mod 256, its label is i mod 10.
class SyntheticSet : public data::Dataset {
 public:
  explicit SyntheticSet(int64_t size)
      : Dataset({"synthetic", {2, 2, 3}, 10, {0.25, 0.5}, {0.5, 0.125}}), size_(size) {}

  int64_t size() const override { return size_; }

  int32_t read(int64_t index, uint8_t* pixels) const override {
    check(index != unreadable, "image ", index, " is unreadable");
    for (int64_t i = 0; i < 12; ++i) pixels[i] = static_cast<uint8_t>(7 * index + 11 * i);
    return static_cast<int32_t>(index % 10);
  }

  int64_t unreadable = -1;

 private:
  int64_t size_;
};

}  // namespace pade::testing
