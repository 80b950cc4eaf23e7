#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pade/layers/study/activation_function.h>

#include "support/run_history.h"

namespace pade::support {

/// A learned activation of a trained network: the function of its first group.
struct LearnedLayer {
  std::string name;
  int64_t groups = 1;
  ActivationFunction now;
  std::optional<ActivationFunction> start;   ///< before training
  std::optional<LayerInputs> inputs;         ///< after the last epoch
  std::vector<ActivationFunction> by_group;  ///< of every group; the first is `now`
};

/// What `inspect` was pointed at.
struct LearnedNetwork {
  std::string folder;      ///< of the run; empty for a file
  std::string file;        ///< where the tensors are from
  std::string activation;  ///< the SPEC in run.json, or as given; may be empty
  std::vector<LearnedLayer> layers;
};

/// The learned activations in a run folder (its last.safetensors, and the start and the inputs in
/// the CSV files where they are there) or in any safetensors file. Those are, of rational ones,
/// the pairs <layer>.numerator [groups, m+1] and <layer>.denominator [groups, n], in full_sum
/// [groups, n+1] (of one group also without that axis), and of formulas <layer>.constants [count].
/// What they are the coefficients of is what the file's metadata say (save_network() writes them),
/// or else the SPEC `activation`, or else that in run.json; tensors of another kind than the SPEC's
/// are passed over.
///
/// Throws Error when there is nothing at `path`, when files are not what they should be, when there
/// are no learned activations, and when nothing tells what they are.
LearnedNetwork read_learned_network(const std::string& path, const std::string& activation);

}  // namespace pade::support
