#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <pade/core/error.h>

namespace pade {

/// The number that all of `text` is: decimal digits, with a point and an exponent where wanted
/// (`-5`, `+.5`, `1e-3`). Nothing for anything else: hexadecimal, a decimal comma, blanks, NaN,
/// infinities, and what no double holds. Does not depend on any locale.
std::optional<double> parse_double(std::string_view text);
/// The same for whole numbers, in decimal: `010` is ten. Nothing for what is out of range.
std::optional<int64_t> parse_int64(std::string_view text);
std::optional<uint64_t> parse_uint64(std::string_view text);

/// The fewest digits that read back to the same number of that type.
std::string shortest(float value);
std::string shortest(double value);

/// `value` as an integer type. Throws Error, which begins with `what`, unless it is whole and T can
/// hold it: to convert such a number by a cast is undefined.
template <std::integral T>
T whole_number(double value, const char* what) {
  // Both bounds are exact as doubles: −2^k or 0, and 2^k.
  constexpr double kLowest = static_cast<double>(std::numeric_limits<T>::min());
  constexpr double kBeyond = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
  const bool fits = value >= kLowest && value < kBeyond;  // which NaN does not
  check(fits && static_cast<double>(static_cast<T>(value)) == value, what,
        ": expected a whole number from ", +std::numeric_limits<T>::min(), " to ",
        +std::numeric_limits<T>::max(), ", got ", value);
  return static_cast<T>(value);
}

/// A number of things in a message: `1 epoch`, `2 epochs`. It refers to the words, and is written
/// when it is printed.
struct Counted {
  int64_t count;
  std::string_view one, many;  ///< many: where it is not `one` with an "s"
};

inline Counted counted(int64_t count, std::string_view one, std::string_view many = {}) {
  return {count, one, many};
}

inline std::ostream& operator<<(std::ostream& out, const Counted& things) {
  out << std::to_string(things.count) << ' ';
  if (things.count == 1) return out << things.one;
  return things.many.empty() ? out << things.one << 's' : out << things.many;
}

}  // namespace pade
