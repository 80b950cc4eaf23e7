#pragma once

#include <string>

#include <pade/layers/sequential.h>

namespace pade::models {

struct MobileNetV2Options {
  int64_t classes = 10;
};

/// MobileNet V2 (Sandler et al. 2018, table 2) for small images: [N, 3, 32, 32] → [N, classes]. The
/// strides of the first convolution and of the stage of 24 channels are 1, so that 32×32 pixels
/// become 4×4; and where a block of stride 1 changes the number of channels, its shortcut is a 1×1
/// convolution with batch norm (so in the kuangliu/pytorch-cifar variant; the paper has none). The
/// activation stands where the paper has ReLU6. Convolutions have no bias and start as He et al.
/// have them (fan_out). With 10 classes and ReLU 2,296,922 parameters.
Sequential mobilenetv2(const std::string& activation, MobileNetV2Options options = {});

}  // namespace pade::models
