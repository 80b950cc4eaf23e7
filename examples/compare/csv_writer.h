#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

namespace pade::compare {

/// Rows of comma-separated values as RFC 4180 has them: what holds a comma or a quote is quoted.
class CsvWriter {
 public:
  CsvWriter& operator<<(const std::string& text);
  /// With the digits that make the same double again; empty when it is not finite.
  CsvWriter& operator<<(double value);
  CsvWriter& operator<<(const std::optional<double>& value) {
    return *this << value.value_or(std::nan(""));
  }
  CsvWriter& operator<<(int64_t value) { return *this << std::to_string(value); }
  CsvWriter& operator<<(int value) { return *this << std::to_string(value); }
  CsvWriter& operator<<(const char* text) { return *this << std::string(text); }
  void end_row();

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool row_begun_ = false;
};

}  // namespace pade::compare
