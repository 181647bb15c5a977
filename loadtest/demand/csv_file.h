#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ridestream::loadtest {

/// A line of a CSV file with named columns. Errors are INVALID_ARGUMENT and begin with
/// file:line:column, counted from 1.
class CsvRow {
 public:
  CsvRow(const std::string& file, size_t line, const std::vector<std::string>& columns,
         std::vector<std::string> fields)
      : file_(file), line_(line), columns_(columns), fields_(std::move(fields)) {}

  /// The number in `column` (counted from 0), which must lie in `low` to `high`.
  absl::StatusOr<double> Number(size_t column, double low, double high) const;
  absl::StatusOr<int> WholeNumber(size_t column, int low, int high) const;

 private:
  absl::Status Error(size_t column, const std::string& what) const;

  const std::string& file_;
  const size_t line_;
  const std::vector<std::string>& columns_;
  const std::vector<std::string> fields_;
};

/// Reads a CSV file (RFC 4180, by libcsv; a record is one line) whose first line must contain
/// exactly `columns`, in this order. The file is UTF-8, with or without a byte order mark. Calls
/// `on_row` for each further line that isn't blank, and stops at its first error. NOT_FOUND if the
/// file can't be read; INVALID_ARGUMENT, with file, line and column, if its content is invalid.
absl::Status ReadCsvFile(const std::string& file, const std::vector<std::string>& columns,
                         const std::function<absl::Status(const CsvRow&)>& on_row);

}  // namespace ridestream::loadtest
