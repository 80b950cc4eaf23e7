#include "compare/csv_writer.h"

#include <charconv>

namespace pade::compare {

CsvWriter& CsvWriter::operator<<(const std::string& field) {
  if (row_begun_) text_ += ',';
  row_begun_ = true;
  if (field.find_first_of(",\"\n") == std::string::npos) {
    text_ += field;
    return *this;
  }
  text_ += '"';
  for (char c : field) text_ += c == '"' ? std::string("\"\"") : std::string(1, c);
  text_ += '"';
  return *this;
}

CsvWriter& CsvWriter::operator<<(double value) {
  if (!std::isfinite(value)) return *this << "";
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  return *this << std::string(digits, end);
}

void CsvWriter::end_row() {
  text_ += '\n';
  row_begun_ = false;
}

}  // namespace pade::compare
