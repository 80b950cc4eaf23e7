#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pade::support {

/// A file of comma-separated values: a header, then rows of names and numbers, each on one line.
/// Names with commas stand in quotes. A file that is not there has no rows.
class CsvFile {
 public:
  using Row = std::vector<std::string>;
  explicit CsvFile(std::string path);

  const Row& header() const { return header_; }
  const std::vector<Row>& rows() const { return rows_; }
  /// The field as a number; "nan" and "inf" are numbers too. Throws Error with the file and the
  /// row when the row has no such field or the field is something else.
  double number(const Row& row, size_t column) const;
  /// The same for all fields from `column` on.
  std::vector<double> numbers(const Row& row, size_t column) const;
  /// Numbers with blanks between them in one field.
  std::vector<double> numbers_in(const Row& row, size_t column) const;
  const std::string& text(const Row& row, size_t column) const;

 private:
  std::string path_;
  Row header_;
  std::vector<Row> rows_;
};

}  // namespace pade::support
