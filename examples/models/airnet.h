#pragma once

#include <string>

#include <pade/layers/sequential.h>

namespace pade::models {

struct AirNetOptions {
  int64_t classes = 10;
};

/// The network of airbench94 (Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, 2024,
/// https://arxiv.org/abs/2404.00498): [N, 3, 32, 32] → [N, classes]. A 2×2 convolution to 24×31×31,
/// whose filters do not learn and are for start_whitening() to set; activation; three groups of
/// 64, 256 and 256 channels, each a 3×3 convolution, 2×2 max-pooling, batch norm, activation,
/// another convolution, batch norm, activation; 3×3 max-pooling; linear. Only the first convolution
/// has a bias; the others start as the identity on their first channels (Init::dirac). Batch norms
/// have an eps of 1e-12, a weight that stays 1, and running statistics that follow by 0.4. With 10
/// classes and ReLU 1,971,352 parameters that learn.
///
/// The paper divides the logits by 9; here the linear layer's weights start at a ninth instead. To
/// learn as there, its rate is 1/81 of the others'.
Sequential airnet(const std::string& activation, AirNetOptions options = {});

/// Has the first convolution of an airnet whiten patches of these images (layers/whitening.h).
void start_whitening(Sequential& network, const Tensor& images);

}  // namespace pade::models
