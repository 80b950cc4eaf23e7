#pragma once

#include <functional>
#include <string>

#include <pade/layers/module.h>

namespace pade {

/// While one of these is in scope on a thread, `observe` is called after every module call there.
/// An empty one keeps those around it from being called.
class ForwardObserver {
 public:
  using Function = std::function<void(const std::string& path, Module& module, const Tensor& input,
                                      const Tensor& output)>;
  explicit ForwardObserver(Function observe);
  ~ForwardObserver();
  ForwardObserver(const ForwardObserver&) = delete;
  ForwardObserver& operator=(const ForwardObserver&) = delete;

  /// Whether one is called on this thread.
  static bool is_active();
  /// What every module call does at its end.
  static void show(Module& module, const Tensor& input, const Tensor& output);

 private:
  Function observe_;
  ForwardObserver* outer_;
};

}  // namespace pade
