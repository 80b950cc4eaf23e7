#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>

#include <pade/core/verbose.h>

namespace pade {

bool is_verbose(const std::string& topic) {
  const char* asked = std::getenv("PADE_VERBOSE");
  return asked && (',' + std::string(asked) + ',').find(',' + topic + ',') != std::string::npos;
}

void print_once(const std::string& line) {
  static std::mutex mutex;
  static std::set<std::string>& printed = *new std::set<std::string>;
  const std::lock_guard lock(mutex);
  if (printed.insert(line).second) std::cerr << line + '\n';
}

}  // namespace pade
