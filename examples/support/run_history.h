#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <pade/layers/activation.h>
#include <pade/layers/study/value_distribution.h>

#include "support/csv.h"

/// What a run folder keeps of activations, epoch by epoch: activations.csv and inputs.csv.
namespace pade::support {

/// What went into a layer while an epoch was tested.
struct LayerInputs {
  int64_t epoch = 0, count = 0, nan = 0, infinite = 0;
  double mean = 0, std = 0, min = 0, max = 0;
  Histogram histogram;
};

/// The rows of an inputs.csv, by layer. Throws Error with the path for what is not such a file; a
/// file that is not there has no rows.
std::map<std::string, std::vector<LayerInputs>> read_inputs(const std::string& path);

/// The functions of a layer's groups after an epoch; epoch 0 is before training.
struct LayerFunctions {
  int64_t epoch = 0;
  std::vector<ActivationFunction> groups;
};

/// activations.csv: a row per epoch, learned layer and group, with a column for each coefficient.
/// In a network of several kinds of activations, a row has nothing in the columns of the others.
class CoefficientFile {
 public:
  /// A file that is not there has no rows.
  explicit CoefficientFile(const std::string& path);
  /// The layer's functions, which are of the kind of `like`, epoch by epoch. Throws Error with the
  /// path where the coefficients are those of something else.
  std::vector<LayerFunctions> functions_of(const std::string& layer, int64_t groups,
                                           const ActivationFunction& like) const;

  /// The header and the rows of an epoch, as they are written; empty where nothing is learned.
  static std::string header_of(Module& network);
  static std::string rows_of(int64_t epoch, Module& network);

 private:
  std::vector<double> values_in(const CsvFile::Row& row, const ActivationFunction& like) const;

  std::string path_;
  CsvFile file_;
  std::map<std::string, std::vector<CsvFile::Row>> rows_;  ///< by name
};

/// All that is known of an activation of a run.
struct LayerHistory {
  std::string name, description;
  bool learned = false;
  /// Epoch by epoch; of what is not learned, one entry, of epoch 0.
  std::vector<LayerFunctions> functions;
  std::vector<LayerInputs> inputs;
  /// Where the inputs were, but for one in a hundred, and at least [-2, 2]; [-5, 5] where that is
  /// not known.
  double low = -5, high = 5;
};

/// Every activation of the network, with what the files in the run folder of that path say of it.
std::vector<LayerHistory> read_history(const std::string& folder, Module& network);

}  // namespace pade::support
