#pragma once

#include <pade/core/image_edit.h>
#include <pade/core/tensor.h>

namespace pade {

/// Images made of bytes, each changed as its row of `edits` says, and normalised:
///
///   pixels  uint8 [B, C, H, W]
///   edits   int32 [B, 7 + 4 R], R being the number of boxes that may be erased
///   levels  float32 [C, 256]: what a network sees of each value of a pixel
///
/// Returns float32 [B, C, H, W], whose pixel (y, x) is 0 in an erased box; else, inside the box
/// that is shown, levels[c][pixel (y + shift_y, shift_x + x) of the image], or (y + shift_y,
/// shift_x − x) in a mirrored one; and everywhere else levels[c][0], which is black. Beyond its
/// edges the image goes on as its mirror image, without the edge again: row −1 is row 1. So any
/// numbers will do in an edit. The same bits on every device.
///
/// Throws Error unless shapes, dtypes and devices are these, and H·W below 2³¹.
Tensor augment(const Tensor& pixels, const Tensor& edits, const Tensor& levels);

}  // namespace pade
