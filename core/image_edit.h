#pragma once

namespace pade {

/// How many numbers describe what happens to an image: these seven, then four (top, left, bottom,
/// right) for each box that may be erased in it. A box ends before `bottom` and `right`, and is
/// empty where they are not above `top` and `left`.
inline constexpr int kImageEditFields = 7;
inline constexpr int kBoxFields = 4;
enum ImageEditField {
  kMirrored,  ///< not 0: left and right are exchanged
  kShiftY,    ///< in pixels
  kShiftX,
  kShownBox,  ///< the first of the four of the box outside of which the image is black
};

}  // namespace pade
