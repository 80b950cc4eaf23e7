#pragma once

#include <string>

#include <pade/layers/sequential.h>

namespace pade::models {

struct LenetOptions {
  int64_t classes = 10;
  int64_t channels = 3;     ///< of the images: 1 or 3, or any other number
  int64_t image_size = 32;  ///< 32; or 28, which the first convolution pads with zeros to 32
};

/// LeNet-5 (LeCun et al. 1998) with max-pooling: [N, channels, 32, 32] → 6×28×28 → 6×14×14 →
/// 16×10×10 → 16×5×5 → 120 → 84 → [N, classes]. Weights start as PyTorch's layers do. With 10
/// classes and ReLU 62,006 parameters for 3×32×32, and 61,706 for 1×28×28.
Sequential lenet(const std::string& activation, LenetOptions options = {});

}  // namespace pade::models
