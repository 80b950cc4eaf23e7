#pragma once

#include <cstdint>

#include <pade/core/image_edit.h>
#include <pade/core/kernels/math/host_device.h>

namespace pade {

/// Rows [top, bottom) and columns [left, right).
struct PixelBox {
  int32_t top, left, bottom, right;

  PADE_HD bool contains(int32_t y, int32_t x) const {
    return y >= top && y < bottom && x >= left && x < right;
  }
};

/// Which of n ≥ 1 pixels is at place i of a row that goes on as its mirror image on both sides.
PADE_HD int64_t reflected_index(int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  const int64_t period = n > 1 ? 2 * n - 2 : 1, place = (i < 0 ? -i : i) % period;
  return place < n ? place : period - place;
}

/// A row of augment()'s edits, of images with h rows and w columns.
struct ImageEditRow {
  const int32_t* fields;
  int boxes;
  int64_t h, w;

  PADE_HD bool mirrored() const { return fields[kMirrored] != 0; }
  PADE_HD PixelBox shown() const { return box_at(kShownBox); }
  PADE_HD PixelBox erased(int i) const { return box_at(kImageEditFields + kBoxFields * i); }

  /// Where the pixel of row y or column x comes from.
  PADE_HD int64_t source_row(int64_t y) const { return reflected_index(fields[kShiftY] + y, h); }
  PADE_HD int64_t source_column(int64_t x) const {
    return reflected_index(fields[kShiftX] + (mirrored() ? -x : x), w);
  }

  PADE_HD bool erases(int32_t y, int32_t x) const {
    for (int i = 0; i < boxes; ++i)
      if (erased(i).contains(y, x)) return true;
    return false;
  }

 private:
  PADE_HD PixelBox box_at(int first) const {
    return {fields[first], fields[first + 1], fields[first + 2], fields[first + 3]};
  }
};

}  // namespace pade
