#pragma once

#include <cstdint>
#include <string>

#include <pade/layers/study/value_distribution.h>

#include "support/protobuf.h"

namespace pade::support {

/// A file of events as TensorBoard reads them: scalars and histograms, step by step. Each event is
/// a message TFEvent in a record that carries its length and checksums (CRC-32C); the numbers of
/// the fields are those of https://github.com/tensorflow/tensorflow,
/// tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
class TensorBoardFile {
 public:
  /// A new file in that folder, named by time, host and process as TensorBoard's own are.
  explicit TensorBoardFile(const std::string& folder);

  void add(int64_t step, const std::string& tag, double value);
  void add(int64_t step, const std::string& tag, const ValueDistribution& values);
  /// Writes all that was added, whole or not at all. Throws Error when that fails.
  void write() const;

 private:
  /// An event of now. `summary` may be empty.
  void add_event(int64_t step, const Message& summary, bool is_first = false);

  std::string path_, contents_;
};

}  // namespace pade::support
