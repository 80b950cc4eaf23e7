#pragma once

#include <string_view>
#include <vector>

#include <pade/data/transforms.h>

namespace pade::support {

/// What --augment asks for: `none`, or some of these with + between them, in this order of work,
///   crop       RandomCrop, with the keys padding, and reflect, true in the place of a
///              black border
///   flip       HorizontalFlip, with p
///   alternate  AlternatingFlip
///   cutout     Cutout, with size
///   erase      RandomErasing, with p
/// as in `crop:padding=2+flip+cutout:size=8`. Throws Error on anything else.
std::vector<data::Transform> transforms_named(std::string_view text);

/// An image as a network is tested with it, and what its logits count.
struct TestView {
  double weight;
  std::vector<data::Transform> transforms;
};

/// What --test-views asks for:
///   none              the image
///   mirror            and its mirror image, half each
///   mirror+translate  half of these, and half of what both are when the image is moved by a
///                     pixel up and left, or down and right, and reflected at its border
/// Throws Error on anything else.
std::vector<TestView> views_named(std::string_view text);

}  // namespace pade::support
