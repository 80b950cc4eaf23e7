#pragma once

#include <string>

#include <pade/layers/sequential.h>

namespace pade::models {

struct EfficientNetOptions {
  int64_t classes = 10;
  double dropout = 0.2;  ///< before the last layer
  double drop_connect =
      0.2;  ///< of the last block; that of the others grows from 0 with their depth
};

/// EfficientNet-B0 (Tan and Le 2019, table 1) for small images: [N, 3, 32, 32] → [N, classes]. The
/// first convolution has stride 1, so that 32×32 pixels become 2×2, and the classifier takes the
/// last block's 320 channels: the 1×1 convolution to 1280 is left out (so in the
/// kuangliu/pytorch-cifar variant). Depthwise convolutions of 3×3 and 5×5; squeeze and excitation
/// (Hu et al. 2018) to a quarter of the block's input channels, with the paper's sigmoid. The
/// activation stands where the paper has Swish, also in the excitation's first layer. Convolutions
/// that batch norm follows have no bias and start as He et al. have them (fan_out). With 10 classes
/// and ReLU 3,598,598 parameters.
Sequential efficientnet_b0(const std::string& activation, EfficientNetOptions options = {});

}  // namespace pade::models
