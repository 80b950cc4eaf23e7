#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <pade/layers/sequential.h>

#include "onnx/graph.h"

namespace pade::onnx {

/// What a training program has left in a run folder, as far as using the network needs it.
struct TrainedRun {
  nlohmann::ordered_json record;  ///< run.json
  Sequential network;             ///< with the weights of the file, in eval mode
  Shape image;                    ///< [channels, height, width]
  Description description;        ///< where the network comes from
};

/// Makes the network that run.json describes and loads last.safetensors, or best.safetensors, which
/// is of the epoch with the best test accuracy. Throws Error where one of these files is missing,
/// is not what it should be, or does not fit the other.
TrainedRun read_run(const std::string& folder, const std::string& file = "last.safetensors");

/// The ONNX file of that network, from images [N, C, H, W], which are (pixel/255 − mean) / std, to
/// logits [N, classes]. Its metadata have mean, std and the names of the classes, as JSON, and what
/// was trained how.
std::string onnx_of_run(const std::string& folder, const std::string& file = "last.safetensors");

}  // namespace pade::onnx
