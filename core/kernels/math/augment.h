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

/// A row of augment()'s edits.
struct ImageEditRow {
  const int32_t* fields;
  int boxes;

  PADE_HD bool mirrored() const { return fields[kMirrored] != 0; }
  PADE_HD PixelBox shown() const { return box_at(kShownBox); }
  PADE_HD PixelBox erased(int i) const { return box_at(kImageEditFields + kBoxFields * i); }

  /// Where the pixel of row y or column x comes from: inside of the image or not, so in 64 bits.
  PADE_HD int64_t source_row(int32_t y) const { return int64_t{y} + fields[kShiftY]; }
  PADE_HD int64_t source_column(int32_t x) const {
    return mirrored() ? int64_t{fields[kShiftX]} - x : int64_t{fields[kShiftX]} + x;
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
