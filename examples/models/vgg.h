#pragma once

#include <string>

#include <pade/layers/sequential.h>

namespace pade::models {

struct VggOptions {
  int64_t classes = 10;
};

/// VGG-16 (Simonyan and Zisserman 2015, configuration D) for small images, with batch norm:
/// [N, 3, 32, 32] → [N, classes]. 13 convolutions of 3×3, each with batch norm and activation, five
/// max-poolings down to one pixel, and a single linear layer. The convolutions keep their biases,
/// and start as He et al. have them (fan_out). With 10 classes and ReLU 14,728,266 parameters.
Sequential vgg16(const std::string& activation, VggOptions options = {});

}  // namespace pade::models
