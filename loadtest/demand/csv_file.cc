#include "loadtest/demand/csv_file.h"

#include <csv.h>
#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <new>
#include <utility>

#include "absl/strings/numbers.h"

namespace ridestream::loadtest {
namespace {

/// The byte order mark, with which some programs begin a file in UTF-8.
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

/// Owns libcsv's parser.
class Parser {
 public:
  Parser() {
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  absl::StatusOr<std::vector<std::string>> Split(const std::string& line) {
    std::vector<std::string> fields;
    const auto on_field = [](void* field, size_t size, void* out) {
      static_cast<std::vector<std::string>*>(out)->emplace_back(static_cast<char*>(field), size);
    };
    if (csv_parse(&parser_, line.data(), line.size(), on_field, nullptr, &fields) != line.size() ||
        csv_fini(&parser_, on_field, nullptr, &fields) != 0) {
      return absl::InvalidArgumentError(csv_strerror(csv_error(&parser_)));
    }
    return fields;
  }

 private:
  csv_parser parser_;
};

std::string Joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ","));
}

}  // namespace

absl::Status CsvRow::Error(size_t column, const std::string& what) const {
  return absl::InvalidArgumentError(fmt::format("{}:{}:{}: {}: '{}' {}", file_, line_, column + 1,
                                                columns_[column], fields_[column], what));
}

absl::StatusOr<double> CsvRow::Number(size_t column, double low, double high) const {
  double number = 0;
  if (!absl::SimpleAtod(fields_[column], &number) || !std::isfinite(number)) {
    return Error(column, "is not a number");
  }
  if (number < low || number > high) {
    return Error(column, fmt::format("must be in {} to {}", low, high));
  }
  return number;
}

absl::StatusOr<int> CsvRow::WholeNumber(size_t column, int low, int high) const {
  int number = 0;
  if (!absl::SimpleAtoi(fields_[column], &number)) return Error(column, "is not a whole number");
  if (number < low || number > high) {
    return Error(column, fmt::format("must be in {} to {}", low, high));
  }
  return number;
}

absl::Status ReadCsvFile(const std::string& file, const std::vector<std::string>& columns,
                         const std::function<absl::Status(const CsvRow&)>& on_row) {
  std::ifstream in(file);
  if (!in) return absl::NotFoundError(fmt::format("{}: {}", file, std::strerror(errno)));
  std::string line;
  size_t number = 0;
  while (std::getline(in, line)) {
    ++number;
    if (number == 1) {
      if (line.starts_with(kUtf8Mark)) line.erase(0, kUtf8Mark.size());
      if (line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF")) {
        return absl::InvalidArgumentError(
            fmt::format("{}:1:1: is UTF-16; it must be saved as UTF-8", file));
      }
    }
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() && number > 1) continue;
    Parser parser;
    auto fields = parser.Split(line);
    if (!fields.ok()) {
      return absl::InvalidArgumentError(fmt::format("{}:{}:1: is not CSV: {}", file, number,
                                                    std::string(fields.status().message())));
    }
    if (number == 1) {
      if (*fields == columns) continue;
      return absl::InvalidArgumentError(
          fmt::format("{}:1:1: the header must be '{}', is '{}'", file, Joined(columns), line));
    }
    if (fields->size() != columns.size()) {
      return absl::InvalidArgumentError(fmt::format("{}:{}:{}: has {} columns, needs {} ({})", file,
                                                    number, fields->size() + 1, fields->size(),
                                                    columns.size(), Joined(columns)));
    }
    const CsvRow row(file, number, columns, *std::move(fields));
    if (absl::Status status = on_row(row); !status.ok()) return status;
  }
  if (in.bad()) return absl::DataLossError(fmt::format("{}: can't be read to its end", file));
  if (number == 0) {
    return absl::InvalidArgumentError(
        fmt::format("{}:1:1: is empty, needs a header '{}'", file, Joined(columns)));
  }
  return absl::OkStatus();
}

}  // namespace ridestream::loadtest
