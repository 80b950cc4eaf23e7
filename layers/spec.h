#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pade {

/// How activations are written on a command line: `name[:key=value,…]`, such as
/// `opau:basis=legendre,degrees=3/2`.
class Spec {
 public:
  /// `kind` is what messages call it. Throws Error on an empty name, a key without a value, and a
  /// key given twice.
  explicit Spec(std::string_view text, std::string kind = "activation");

  const std::string& name() const { return name_; }
  bool has(const std::string& key) const { return values_.contains(key); }
  /// Throws Error that lists the known keys when another one was given.
  void allow_keys(const std::vector<std::string>& known) const;

  /// The value of a key, or the fallback where it was not given. Each throws Error on a value that
  /// does not read as what is asked for.
  std::string text(const std::string& key, const std::string& fallback) const;
  double number(const std::string& key, double fallback) const;
  bool flag(const std::string& key, bool fallback) const;
  /// Two numbers with a separator between them: `5/4`, `-5:5`.
  std::pair<double, double> pair(const std::string& key, char separator,
                                 std::pair<double, double> fallback) const;

 private:
  double parse_number(const std::string& key, std::string_view text) const;

  std::string kind_, name_;
  std::map<std::string, std::string> values_;
};

}  // namespace pade
