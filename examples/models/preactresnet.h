#pragma once

#include <string>

#include <pade/layers/sequential.h>

namespace pade::models {

struct PreActResNetOptions {
  int64_t classes = 10;
  int64_t width = 64;  ///< channels of the first stage; each of the next three has twice as many
  bool checkpoint = false;  ///< keep only each stage's input for backward (layers/checkpoint.h)
};

/// Pre-activation residual networks (He et al., "Identity Mappings in Deep Residual Networks",
/// 2016) for small images: [N, 3, H, W] → [N, classes], H and W any multiple of 8, usually 32. A
/// convolution of stride 1, four stages of 2·2·2·2 or 3·4·6·3 blocks, each after the first at half
/// the resolution, then batch norm, activation and the mean of every channel. Convolutions have no
/// bias and start as He et al. have them (fan_out). With 10 classes and ReLU 11,172,170 and
/// 21,280,330 parameters.
Sequential preactresnet18(const std::string& activation, PreActResNetOptions options = {});
Sequential preactresnet34(const std::string& activation, PreActResNetOptions options = {});

}  // namespace pade::models
