#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pade/layers/rational_function.h>
#include <pade/layers/value_distribution.h>

namespace pade::lab {

/// What went into a layer, as inputs.csv of a run has it.
struct LayerInputs {
  int64_t epoch = 0, count = 0, nan = 0, infinite = 0;
  double mean = 0, std = 0, min = 0, max = 0;
  Histogram histogram;
};

/// A rational layer of a trained network: the function of its first group.
struct LearnedLayer {
  std::string name;
  int64_t groups = 1;
  RationalFunction now;
  std::optional<RationalFunction> start;  ///< before training
  std::optional<LayerInputs> inputs;      ///< after the last epoch
};

/// What `inspect` was pointed at.
struct LearnedNetwork {
  std::string folder;      ///< of the run; empty for a file
  std::string file;        ///< where the tensors are from
  std::string activation;  ///< the SPEC in run.json, or as given; may be empty
  std::vector<LearnedLayer> layers;
};

/// The rational layers in a run folder (its last.safetensors, and the start and the inputs in the
/// CSV files where they are there) or in any safetensors file: the pairs <layer>.numerator
/// [groups, m+1] and <layer>.denominator [groups, n], in full_sum [groups, n+1]. Basis and form are
/// what the file's metadata say, or else those of the SPEC `activation`, or else of the one in
/// run.json.
///
/// Throws Error when there is nothing at `path`, when files are not what they should be, when there
/// are no rational layers, and when nothing tells basis and form.
LearnedNetwork read_learned_network(const std::string& path, const std::string& activation);

}  // namespace pade::lab
