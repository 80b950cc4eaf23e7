#pragma once

#include <functional>
#include <utility>

namespace pade {

/// How the learning rate changes with time: a factor on it, as a function of the epochs done, which
/// may be a fraction.
class Schedule {
 public:
  /// 1.
  static Schedule constant();
  /// ½ (1 + cos(π · epochs / total)): from 1 to 0 at `total`, and 0 from there on (Loshchilov and
  /// Hutter 2017, without restarts). Throws Error unless total > 0 and finite.
  static Schedule cosine(double total);
  /// gamma ^ ⌊epochs / every⌋. Throws Error unless both are above 0 and finite.
  static Schedule step(double every, double gamma);
  /// In a straight line from `start` to 1 after `peak` epochs, in another one to `end` after
  /// `total`, and `end` from there on. Throws Error unless 0 < peak < total, and both factors are
  /// in [0, 1].
  static Schedule triangle(double total, double start, double peak, double end);

  /// The same, but multiplied by epochs / `warm_up` before that: 0 at 0, and itself from `warm_up`
  /// on, which is not shifted. None when it is 0; throws Error when negative or not finite.
  Schedule with_warm_up(double warm_up) const;

  /// Throws Error unless epochs >= 0.
  double factor(double epochs) const;

 private:
  explicit Schedule(std::function<double(double)> curve) : curve_(std::move(curve)) {}

  std::function<double(double)> curve_;
};

}  // namespace pade
