#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// While one of these is in scope, every result and every gradient is searched for NaN and
/// infinities; the first op that makes one is reported by an Error with its module's path.
class Anomaly {
 public:
  Anomaly();
  ~Anomaly();
  Anomaly(const Anomaly&) = delete;
  Anomaly& operator=(const Anomaly&) = delete;

  static bool enabled();
  /// Throws Error when `tensor` is floating and holds a NaN or an infinity.
  static void inspect(const Tensor& tensor, const char* op, const char* what);

 private:
  bool outer_;
};

}  // namespace pade
