#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>

#include <pade/core/verbose.h>

namespace pade {

bool is_verbose(const char* topic) {
  const char* asked = std::getenv("PADE_VERBOSE");
  std::istringstream topics(asked ? asked : "");
  for (std::string each; std::getline(topics, each, ',');)
    if (each == topic) return true;
  return false;
}

void print_once(const std::string& line) {
  static std::mutex mutex;
  static std::set<std::string>& printed = *new std::set<std::string>;
  const std::lock_guard lock(mutex);
  if (printed.insert(line).second) std::cerr << line + '\n';
}

}  // namespace pade
