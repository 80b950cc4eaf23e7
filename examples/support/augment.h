#pragma once

#include <string_view>
#include <vector>

#include <pade/data/transforms.h>

namespace pade::support {

/// What --augment asks for: `none`, or some of these with + between them, in this order of work,
///   crop     RandomCrop, with the key padding
///   flip     HorizontalFlip, with p
///   cutout   Cutout, with size
///   erase    RandomErasing, with p
/// as in `crop:padding=2+flip+cutout:size=8`. Throws Error on anything else.
std::vector<data::Transform> transforms_named(std::string_view text);

}  // namespace pade::support
