#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pade/core/ops/augment.h>

namespace pade::data {

/// Rows [top, bottom) and columns [left, right) of an image.
struct Box {
  int64_t top, left, bottom, right;
};

/// What happens to one image: the changes that transforms draw are composed, in their order, into a
/// row of numbers that augment() carries out.
class ImageEdit {
 public:
  /// Writes to `row`, which must stay: 7 + 4 R numbers, for at most R calls of erase(). Nothing
  /// happens to the image yet.
  ImageEdit(std::span<int32_t> row, int64_t height, int64_t width);

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }

  /// Pixel (y, x) becomes what pixel (y + dy, x + dx) was, black where there was none.
  /// Throws Error for more than 2²⁰ pixels.
  void shift(int64_t dy, int64_t dx);
  /// Exchanges left and right.
  void mirror();
  /// Fills a box with 0 as the network sees it: the mean of the training images. Throws Error when
  /// the row has no place for one more.
  void erase(const Box& box);

 private:
  Box box_at(size_t first) const;
  void set_box(size_t first, Box box);
  /// Calls change(box) for the box that is shown and for those that are erased.
  template <class F>
  void for_each_box(F&& change);

  std::span<int32_t> row_;
  int64_t height_, width_;
  size_t used_ = kImageEditFields;
};

}  // namespace pade::data
