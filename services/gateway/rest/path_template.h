#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ridestream::gateway {

/// The decoded values of a path's variables, with the names of the request's fields.
using Variables = std::vector<std::pair<std::string, std::string>>;

/// A route's path, such as "/v1/trips/{trip_id}:cancel". Each segment is a literal or a variable,
/// and the last one may end with a verb. Immutable.
class PathTemplate {
 public:
  /// INVALID_ARGUMENT if `text` doesn't have this form.
  static absl::StatusOr<PathTemplate> Parse(std::string_view text);

  /// Returns the variables if `path`, percent-encoded as it was sent, matches; else nullopt. An
  /// empty segment matches no variable.
  std::optional<Variables> Match(std::string_view path) const;

  bool has_verb() const { return !verb_.empty(); }
  const std::string& text() const { return text_; }
  std::vector<std::string> variables() const;

 private:
  struct Segment {
    std::string text;
    bool is_variable = false;
  };
  std::string text_;
  std::vector<Segment> segments_;
  std::string verb_;
};

}  // namespace ridestream::gateway
