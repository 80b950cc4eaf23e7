#pragma once

#include <string>
#include <string_view>

namespace pade {

/// A named region of the running computation. Every module call opens one, so that errors, anomaly
/// reports and tapes can say where something happened: `features.0`. An empty name (the outermost
/// module) adds nothing to the path.
class Scope {
 public:
  explicit Scope(std::string_view name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// The dotted path of the scopes open on this thread; empty outside all of them.
  static const std::string& path();

 private:
  size_t outer_length_;
};

/// Stands in the place of all scopes that are open: a backward pass is then where the forward pass
/// was, wherever it is called from.
class ScopeOfPath {
 public:
  explicit ScopeOfPath(std::string path);
  ~ScopeOfPath();
  ScopeOfPath(const ScopeOfPath&) = delete;
  ScopeOfPath& operator=(const ScopeOfPath&) = delete;

 private:
  std::string outer_path_;
};

}  // namespace pade
