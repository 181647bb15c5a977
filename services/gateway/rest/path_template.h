#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ridestream::gateway {

/// The values of a path's variables, decoded, by the names of the fields they are of.
using Variables = std::vector<std::pair<std::string, std::string>>;

/// A path of a route, such as "/v1/trips/{trip_id}:cancel": segments that are literal or a
/// variable, the last of which may end with a verb. Immutable.
class PathTemplate {
 public:
  /// INVALID_ARGUMENT when it isn't of this form.
  static absl::StatusOr<PathTemplate> Parse(std::string_view text);

  /// The variables of a path that fits, as it was sent (encoded). An empty segment fits no
  /// variable.
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
