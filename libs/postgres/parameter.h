#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ridestream::postgres {

/// Bytes for a BYTEA, as opposed to a string for TEXT.
struct Bytes {
  std::string bytes;
};

/// One argument of a statement: $1, $2, …
class Parameter {
 public:
  Parameter(std::nullptr_t) {}  // NOLINT: implicit, so that lists of arguments read well.
  Parameter(std::string text) : value_(std::move(text)), null_(false) {}  // NOLINT
  Parameter(std::string_view text) : Parameter(std::string(text)) {}      // NOLINT
  Parameter(const char* text) : Parameter(std::string(text)) {}           // NOLINT
  Parameter(Bytes bytes)                                                  // NOLINT
      : value_(std::move(bytes.bytes)), null_(false), binary_(true) {}
  template <std::integral Integer>
  Parameter(Integer number) : Parameter(std::to_string(number)) {}  // NOLINT
  /// Arrays, of TEXT[] and BIGINT[].
  Parameter(const std::vector<std::string>& texts);     // NOLINT
  Parameter(const std::vector<std::int64_t>& numbers);  // NOLINT

  const char* data() const { return null_ ? nullptr : value_.data(); }
  int size() const { return static_cast<int>(value_.size()); }
  bool is_binary() const { return binary_; }

 private:
  std::string value_;
  bool null_ = true;
  bool binary_ = false;
};

}  // namespace ridestream::postgres
