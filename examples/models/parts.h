#pragma once

#include <pade/layers/conv.h>

/// What several of the networks are made of.
namespace pade::models {

/// A convolution that batch norm follows: without bias, padded to keep the size at stride 1, and
/// started so that gradients keep their variance.
inline Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1,
                   int64_t groups = 1) {
  return Conv2d(in, out,
                {.kernel = kernel,
                 .stride = stride,
                 .padding = kernel / 2,
                 .groups = groups,
                 .bias = false,
                 .init = Init::he_normal_fan_out});
}

}  // namespace pade::models
