#include <pade/core/error.h>
#include <pade/core/scope.h>
#include <pade/core/storage.h>

namespace pade {
namespace {

/// Made when the program starts: copies of it need no memory.
const Error nothing_left("out of memory on cpu, down to what a message takes");

}  // namespace

void throw_error(const std::string& message) {
  const std::string& path = Scope::path();
  throw Error(path.empty() ? message : message + " in " + path);
}

void throw_out_of_memory() {
  try {
    fail("out of memory on cpu: the standard library got none for a list, a name or a function; ",
         allocator_stats().bytes_in_use, " bytes are in use by tensors");
  } catch (const std::bad_alloc&) {
    throw Error(nothing_left);
  }
}

}  // namespace pade
