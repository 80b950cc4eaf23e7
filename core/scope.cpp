#include <utility>

#include <pade/core/scope.h>

namespace pade {
namespace {

std::string& current_path() {
  thread_local std::string path;
  return path;
}

}  // namespace

Scope::Scope(std::string_view name) : outer_length_(current_path().size()) {
  std::string& path = current_path();
  if (name.empty()) return;
  path.reserve(path.size() + 1 + name.size());  // nothing is appended when this throws
  if (!path.empty()) path += '.';
  path += name;
}

Scope::~Scope() { current_path().resize(outer_length_); }

const std::string& Scope::path() { return current_path(); }

ScopeOfPath::ScopeOfPath(std::string path)
    : outer_path_(std::exchange(current_path(), std::move(path))) {}
ScopeOfPath::~ScopeOfPath() { current_path() = std::move(outer_path_); }

}  // namespace pade
