#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace pade::testing {

/// An environment variable that has another value, or none, while this is in scope.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* outer = std::getenv(name)) outer_ = outer;
    set(value);
  }
  ~EnvironmentVariable() { set(outer_); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  void set(const std::optional<std::string>& value) {
    if (value)
      setenv(name_, value->c_str(), 1);
    else
      unsetenv(name_);
  }

  const char* name_;
  std::optional<std::string> outer_;
};

}  // namespace pade::testing
