#include <utility>

#include <pade/core/scope.h>

namespace pade {
namespace {

thread_local std::string current_path;

}  // namespace

Scope::Scope(std::string_view name) : outer_length_(current_path.size()) {
  if (name.empty()) return;
  current_path.reserve(outer_length_ + 1 + name.size());  // nothing is appended when this throws
  if (outer_length_ > 0) current_path += '.';
  current_path += name;
}
Scope::~Scope() { current_path.resize(outer_length_); }

const std::string& Scope::path() { return current_path; }

ScopeOfPath::ScopeOfPath(std::string path)
    : outer_path_(std::exchange(current_path, std::move(path))) {}
ScopeOfPath::~ScopeOfPath() { current_path = std::move(outer_path_); }

}  // namespace pade
