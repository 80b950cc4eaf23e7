#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// An exponential moving average of everything that a network's state() holds, which often tests
/// better than the network itself (Polyak and Juditsky 1992):
///
///   WeightAverage average(network.state(), 0.999);
///   … optimizer.step(); average.update();
///   average.swap();  evaluate(network);  average.swap();
///
/// Update t works with the decay min(decay, t / (t + 9)), so that the start is soon forgotten.
class WeightAverage {
 public:
  /// Starts with what the tensors hold, which are then the handles that update() reads and swap()
  /// writes. Throws Error unless 0 <= decay < 1, and when two of them share memory.
  WeightAverage(std::vector<std::pair<std::string, Tensor>> tensors, double decay);

  /// average = decay · average + (1 − decay) · tensor; of tensors that are not floating, a copy.
  /// Throws Error where nobody else holds a tensor any more, as after network.to(…).
  void update();
  /// Lookahead (Zhang et al. 2019, https://arxiv.org/abs/1907.08610), after every few steps:
  /// average = decay · average + (1 − decay) · tensor, and the network goes on from the average.
  /// Throws Error unless decay is in [0, 1], and as update() does.
  void pull_back(double decay);
  /// Exchanges the averages and what the network holds; a second call puts everything back to the
  /// same bits. Throws Error from update() in between, and as update() does.
  void swap();
  bool swapped() const { return swapped_; }

  /// The averages under `average.` and the names of the tensors, and `updates`, how many there were
  /// (int32). The handles are live: copying a saved state into them makes averaging go on with the
  /// same bits.
  std::vector<std::pair<std::string, Tensor>> state() const;

 private:
  void check_shared() const;
  void average_with(double decay);

  std::vector<std::pair<std::string, Tensor>> tensors_;
  std::vector<Tensor> averages_;  // in the order of tensors_
  Tensor updates_;                // int32, one element
  double decay_;
  bool swapped_ = false;
};

}  // namespace pade
