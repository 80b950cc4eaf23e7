#include <pade/core/error.h>
#include <pade/core/scope.h>

namespace pade {

void throw_error(const std::string& message) {
  const std::string& path = Scope::path();
  throw Error(path.empty() ? message : message + " in " + path);
}

}  // namespace pade
