#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <pade/core/text_stream.h>

namespace pade {

/// The only exception type that Padé throws on purpose. The message says what was expected, what
/// came and where; inside a module call it ends with the module's path.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error(message), with " in <module path>" appended when a module is being called.
[[noreturn]] void throw_error(const std::string& message);

/// Throws an Error whose message is the parts, printed one after another with operator<<.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  TextStream message;
  (message << ... << parts);
  throw_error(message.str());
}

/// fail(parts...) unless `ok`. The parts are evaluated either way, so keep them cheap.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(parts...);
}

/// Throws the Error for memory that the standard library did not get.
[[noreturn]] void throw_out_of_memory();

/// f(), with an Error where it throws std::bad_alloc: around what allocates by itself, beside the
/// storages of tensors, whose Errors say how much they asked for.
template <class F>
decltype(auto) bad_alloc_as_error(F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const std::bad_alloc&) {
    throw_out_of_memory();
  }
}

}  // namespace pade
