#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

struct pg_result;

namespace ridestream::postgres {

/// The result of one statement. Views are valid as long as the result.
class Result {
 public:
  explicit Result(pg_result* result) : result_(result) {}

  int rows() const;
  /// "COMMIT", "INSERT 0 1", …
  std::string_view command() const;

  bool IsNull(int row, int column) const;
  std::int64_t Int64(int row, int column) const;
  std::uint64_t Uint64(int row, int column) const {
    return static_cast<std::uint64_t>(Int64(row, column));
  }
  bool Bool(int row, int column) const;
  /// TEXT, or the bytes of a BYTEA.
  std::string_view Text(int row, int column) const;

 private:
  struct Clearer {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clearer> result_;
};

}  // namespace ridestream::postgres
