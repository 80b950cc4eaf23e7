#include "support/number_option.h"

#include <cstdint>
#include <type_traits>

#include <pade/core/numbers.h>
#include <pade/core/text_stream.h>

namespace pade::support {
namespace {

template <class T>
std::optional<T> parse(const std::string& text) {
  if constexpr (std::is_floating_point_v<T>) {
    return parse_double(text);
  } else if constexpr (std::is_unsigned_v<T>) {
    return parse_uint64(text);
  } else {
    const std::optional<int64_t> number = parse_int64(text);
    if (!number || *number < Bounds<T>().least || *number > Bounds<T>().most) return {};
    return static_cast<T>(*number);
  }
}

/// "a whole number from 0 to 1024", "a number above 0".
template <class T>
std::string expected(const Bounds<T>& bounds) {
  TextStream text;
  text << (std::is_floating_point_v<T> ? "a number" : "a whole number");
  const bool has_least = bounds.least != Bounds<T>().least;
  const bool has_most = bounds.most != Bounds<T>().most;
  if (std::is_integral_v<T> || (has_least && has_most))
    text << " from " << bounds.least << " to " << bounds.most;
  else if (has_least)
    text << (bounds.without_least ? " above " : " of at least ") << bounds.least;
  return text.str();
}

/// The same for a help text: "N in 0..1024", "X > 0".
template <class T>
std::string in_help(const Bounds<T>& bounds) {
  const std::string name = std::is_floating_point_v<T> ? "X" : "N";
  const bool has_least = bounds.least != Bounds<T>().least;
  const bool has_most = bounds.most != Bounds<T>().most;
  TextStream text;
  if (has_least && has_most)
    text << name << " in " << bounds.least << ".." << bounds.most;
  else if (has_least)
    text << name << (bounds.without_least ? " > " : " >= ") << bounds.least;
  else
    text << name;
  return text.str();
}

}  // namespace

template <class T>
CLI::Validator number_within(const Bounds<T>& bounds) {
  return CLI::Validator(
      [bounds](std::string& text) -> std::string {
        const std::optional<T> number = parse<T>(text);
        if (!number || *number < bounds.least || *number > bounds.most ||
            (bounds.without_least && *number == bounds.least))
          return "expected " + expected(bounds) + ", got \"" + text + "\"";
        if constexpr (std::is_integral_v<T>) text = std::to_string(*number);
        return "";
      },
      in_help(bounds));
}

template CLI::Validator number_within(const Bounds<double>&);
template CLI::Validator number_within(const Bounds<int>&);
template CLI::Validator number_within(const Bounds<int64_t>&);
template CLI::Validator number_within(const Bounds<uint64_t>&);

}  // namespace pade::support
