#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <pade/layers/sequential.h>

#include "onnx/graph.h"

namespace pade::onnx {

/// What a training program has left in a run folder, as far as an ONNX file has it.
struct TrainedNetwork {
  nlohmann::ordered_json record;  ///< run.json
  Sequential network;             ///< in eval mode
  Shape image;                    ///< [channels, height, width]
  Description description;        ///< where the network comes from
};

/// The network of run.json with the weights of last.safetensors, or, where `which` is best, those
/// of the epoch with the best test accuracy. Throws Error where one of these files is missing, is
/// not what it should be, or does not fit the other.
TrainedNetwork read_network(const std::string& folder, const std::string& which = "last");

/// The ONNX file of that network, from images [N, C, H, W], which are (pixel/255 − mean) / std, to
/// logits [N, classes]. Its metadata have mean, std and the names of the classes, as JSON, and what
/// was trained how.
std::string onnx_of_run(const std::string& folder, const std::string& which = "last");

}  // namespace pade::onnx
