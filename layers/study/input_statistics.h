#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <pade/layers/forward_observer.h>
#include <pade/layers/study/value_distribution.h>

namespace pade {

struct InputStatisticsOptions {
  /// The modules that are watched, by dotted path; every Rational when there is no function here.
  std::function<bool(const std::string& path, Module& module)> watch;
  /// Of each call only the first so many samples (axis 0) are looked at, which is all that is
  /// copied from a GPU; 0: all.
  int64_t samples_per_call = 0;
};

/// What goes into the activations of a network, or into other modules of it:
///
///   InputStatistics statistics(network);
///   {
///     const ForwardObserver collecting = statistics.collect();
///     evaluate(network, test_set);
///   }
///   for (const auto& layer : statistics.layers())
///     std::cout << layer.name << ' ' << layer.inputs.mean() << '\n';
///
/// Nothing is looked at, and nothing costs time, but in the scope of collect(). The same calls give
/// the same bits. The network must outlive this object, and its modules must stay where they are.
class InputStatistics {
 public:
  struct Layer {
    std::string name;  ///< dotted path
    ValueDistribution inputs;
    int64_t channels = 1;  ///< extent of axis 1 in the last call; 1 where there is no such axis
  };

  explicit InputStatistics(Module& network, InputStatisticsOptions options = {});
  InputStatistics(const InputStatistics&) = delete;
  InputStatistics& operator=(const InputStatistics&) = delete;

  /// While the result is in scope, adds what the watched modules are called with on this thread; a
  /// module that is called twice counts both. Not from two threads at once.
  [[nodiscard]] ForwardObserver collect();
  /// Forgets all values.
  void clear();

  /// The watched modules, parents first.
  const std::vector<Layer>& layers() const { return layers_; }

 private:
  std::vector<Layer> layers_;
  std::map<const Module*, size_t> index_;
  int64_t samples_per_call_;
};

}  // namespace pade
