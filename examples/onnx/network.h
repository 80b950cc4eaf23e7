#pragma once

#include <string>

#include <pade/layers/module.h>

#include "onnx/graph.h"

namespace pade::onnx {

/// The ONNX file of a network in eval mode, into which it is put: images [N, sample…] → logits
/// [N, …]. It is what a tape records of one forward pass, so that a module of your own needs
/// nothing besides its forward(). Weights have the names that they have in safetensors files,
/// operators that of their module.
///
/// Throws Error, which names the op and the module, for what has no counterpart: anything but
/// Conv2d, Linear, BatchNorm2d, pools, Flatten, activations, and sums and products of what they
/// give.
std::string onnx_of(Module& network, const Shape& sample, const Description& description);

}  // namespace pade::onnx
