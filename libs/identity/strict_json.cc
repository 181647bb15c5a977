#include "libs/identity/strict_json.h"

#include <set>
#include <string>
#include <vector>

namespace ridestream::identity {

absl::StatusOr<nlohmann::json> ParseStrictJson(std::string_view text) {
  using Event = nlohmann::json::parse_event_t;
  constexpr int kMaxDepth = 8;
  // The parser would treat a zero byte as the end of the text.
  if (text.find('\0') != text.npos) return absl::InvalidArgumentError("not a JSON object");
  std::vector<std::set<std::string>> names;  // Of each open object and array.
  bool has_duplicate = false;
  bool is_deep = false;
  const auto check = [&](int depth, Event event, nlohmann::json& parsed) {
    if (is_deep) return false;  // Discards everything deeper.
    if (event == Event::object_start || event == Event::array_start) {
      is_deep |= depth >= kMaxDepth;
      names.emplace_back();
    } else if (event == Event::object_end || event == Event::array_end) {
      names.pop_back();
    } else if (event == Event::key) {
      has_duplicate |= !names.back().insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  nlohmann::json json = nlohmann::json::parse(text, check, /*allow_exceptions=*/false);
  if (is_deep) return absl::InvalidArgumentError("JSON is nested too deeply");
  if (has_duplicate) return absl::InvalidArgumentError("JSON names a member twice");
  if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
  return json;
}

}  // namespace ridestream::identity
