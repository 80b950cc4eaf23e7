#include <algorithm>

#include <pade/core/error.h>
#include <pade/data/image_edit.h>

namespace pade::data {

ImageEdit::ImageEdit(std::span<int32_t> row, int64_t height, int64_t width)
    : row_(row), height_(height), width_(width) {
  check(row.size() >= kImageEditFields && (row.size() - kImageEditFields) % kBoxFields == 0,
        "ImageEdit: expected a row of 7 + 4 R numbers, got ", row.size());
  std::fill(row.begin(), row.end(), 0);
  set_box(kShownBox, {0, 0, height, width});
}

void ImageEdit::shift(int64_t dy, int64_t dx) {
  constexpr int64_t kFarthest = 1 << 20;
  check(dy >= -kFarthest && dy <= kFarthest && dx >= -kFarthest && dx <= kFarthest,
        "ImageEdit: a shift by (", dy, ", ", dx, ") is too far; expected at most ", kFarthest);
  row_[kShiftY] += static_cast<int32_t>(dy);
  row_[kShiftX] += static_cast<int32_t>(row_[kMirrored] ? -dx : dx);
  for_each_box([&](const Box& box) {
    return Box{box.top - dy, box.left - dx, box.bottom - dy, box.right - dx};
  });
}

void ImageEdit::mirror() {
  const auto last = static_cast<int32_t>(width_ - 1);
  row_[kShiftX] += row_[kMirrored] ? -last : last;
  row_[kMirrored] = !row_[kMirrored];
  for_each_box([&](const Box& box) {
    return Box{box.top, width_ - box.right, box.bottom, width_ - box.left};
  });
}

void ImageEdit::erase(const Box& box) {
  check(used_ < row_.size(), "ImageEdit: the row has place for ",
        (row_.size() - kImageEditFields) / kBoxFields,
        " boxes to erase, and one more was asked for");
  set_box(used_, box);
  used_ += kBoxFields;
}

Box ImageEdit::box_at(size_t first) const {
  return {row_[first], row_[first + 1], row_[first + 2], row_[first + 3]};
}

/// Clipped to the image: what moves out of it does not come back.
void ImageEdit::set_box(size_t first, Box box) {
  row_[first] = static_cast<int32_t>(std::clamp<int64_t>(box.top, 0, height_));
  row_[first + 1] = static_cast<int32_t>(std::clamp<int64_t>(box.left, 0, width_));
  row_[first + 2] = static_cast<int32_t>(std::clamp<int64_t>(box.bottom, 0, height_));
  row_[first + 3] = static_cast<int32_t>(std::clamp<int64_t>(box.right, 0, width_));
}

template <class F>
void ImageEdit::for_each_box(F&& change) {
  set_box(kShownBox, change(box_at(kShownBox)));
  for (size_t first = kImageEditFields; first < used_; first += kBoxFields)
    set_box(first, change(box_at(first)));
}

}  // namespace pade::data
