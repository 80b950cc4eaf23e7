#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace pade::support {

/// What --threads and --jobs take.
inline constexpr int kMostThreads = 1024;

/// The numbers that a flag takes, from the least to the most of them. T is double, int, int64_t or
/// uint64_t.
template <class T>
struct Bounds {
  T least = std::numeric_limits<T>::lowest();
  T most = std::numeric_limits<T>::max();
  bool without_least = false;  ///< for what must be above `least`
};

/// Takes decimal numbers within these bounds, and hands CLI11 a text that it reads as the same
/// number: by itself it reads `010` as eight, `-1` as the largest unsigned number and `nan` as one.
template <class T>
CLI::Validator number_within(const Bounds<T>& bounds);

template <class T>
struct NumberIn {
  using Type = T;
};
template <class T>
struct NumberIn<std::optional<T>> : NumberIn<T> {};
template <class T>
struct NumberIn<std::vector<T>> : NumberIn<T> {};

/// Adds a flag that takes a number within these bounds, or several where `value` is a vector. All
/// flags of ours that take numbers are made by it.
template <class T>
CLI::Option* add_number(CLI::App& app, const std::string& flag, T& value,
                        const std::string& description,
                        const Bounds<typename NumberIn<T>::Type>& bounds = {}) {
  CLI::Validator within = number_within(bounds);
  const std::string numbers = within.get_description();
  return app.add_option(flag, value, description)
      ->type_name(numbers)
      ->transform(within.description(""));
}

}  // namespace pade::support
