#include <charconv>
#include <cmath>
#include <system_error>

#include <pade/core/numbers.h>

namespace pade {
namespace {

template <class T>
std::optional<T> parse(std::string_view text) {
  // from_chars() takes no plus sign; behind one there must not be another sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

template <class T>
std::string format(T value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace

std::string shortest(float value) { return format(value); }
std::string shortest(double value) { return format(value); }

std::optional<double> parse_double(std::string_view text) {
  const std::optional<double> value = parse<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<int64_t> parse_int64(std::string_view text) { return parse<int64_t>(text); }
std::optional<uint64_t> parse_uint64(std::string_view text) { return parse<uint64_t>(text); }

}  // namespace pade
