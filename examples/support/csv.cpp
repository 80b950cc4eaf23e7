#include "support/csv.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/file.h>

namespace pade::support {
namespace {

/// The fields of a line, in which separators between quotes, and quotes that stand there twice, are
/// characters like others. A line that ends with a separator has no empty field after it.
CsvFile::Row split(std::string line, char separator) {
  if (line.ends_with('\r')) line.pop_back();
  CsvFile::Row fields;
  std::string field;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
      field += line[i++];
    else if (c == '"' && (quoted || field.empty()))
      quoted = !quoted;
    else if (c == separator && !quoted)
      fields.push_back(std::exchange(field, ""));
    else
      field += c;
  }
  if (!field.empty()) fields.push_back(field);
  return fields;
}

std::string joined(const CsvFile::Row& row) {
  std::string line;
  for (const std::string& field : row) line += (line.empty() ? "" : ",") + field;
  return line;
}

double parsed(const std::string& text, const std::string& path, const CsvFile::Row& row) {
  double value = 0;  // parse_double() has no NaN, of which a row may tell
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  check(error == std::errc() && stop == end, path, ": expected a number instead of \"", text,
        "\" in the row ", joined(row));
  return value;
}

}  // namespace

CsvFile::CsvFile(std::string path) : path_(std::move(path)) {
  if (!std::filesystem::exists(path_)) return;
  std::ifstream in = open_input(path_);
  std::string line;
  if (std::getline(in, line)) header_ = split(line, ',');
  while (std::getline(in, line)) rows_.push_back(split(line, ','));
}

const std::string& CsvFile::text(const Row& row, size_t column) const {
  check(column < row.size(), path_, ": expected at least ", column + 1, " fields in the row ",
        joined(row));
  return row[column];
}

double CsvFile::number(const Row& row, size_t column) const {
  return parsed(text(row, column), path_, row);
}

std::vector<double> CsvFile::numbers(const Row& row, size_t column) const {
  std::vector<double> numbers;
  for (size_t i = column; i < row.size(); ++i) numbers.push_back(number(row, i));
  return numbers;
}

std::vector<double> CsvFile::numbers_in(const Row& row, size_t column) const {
  std::vector<double> numbers;
  if (column < row.size())  // an empty last field is none
    for (const std::string& field : split(row[column], ' '))
      numbers.push_back(parsed(field, path_, row));
  return numbers;
}

}  // namespace pade::support
