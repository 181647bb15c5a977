#include "services/gateway/rest/path_template.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/str_split.h"
#include "services/gateway/http/query.h"

namespace ridestream::gateway {
namespace {

std::vector<std::string> Split(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  return absl::StrSplit(absl::string_view(path.data(), path.size()), '/');
}

}  // namespace

absl::StatusOr<PathTemplate> PathTemplate::Parse(std::string_view text) {
  const auto fail = [text](std::string_view why) {
    return absl::InvalidArgumentError(fmt::format("path '{}': {}", text, why));
  };
  PathTemplate path;
  path.text_ = text;
  if (!text.starts_with('/')) return fail("must begin with a slash");
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos &&
      text.find_first_of("/}", colon) == std::string_view::npos) {
    path.verb_ = text.substr(colon + 1);
    if (path.verb_.empty()) return fail("has an empty verb");
    text = text.substr(0, colon);
  }
  for (std::string& piece : Split(text)) {
    Segment segment{.text = std::move(piece)};
    if (segment.text.starts_with('{') && segment.text.ends_with('}')) {
      segment.is_variable = true;
      segment.text = segment.text.substr(1, segment.text.size() - 2);
    }
    if (segment.text.empty()) return fail("has an empty segment");
    if (segment.text.find_first_of("{}*") != std::string::npos) {
      return fail("a variable must be a whole segment");
    }
    path.segments_.push_back(std::move(segment));
  }
  return path;
}

std::optional<Variables> PathTemplate::Match(std::string_view path) const {
  if (has_verb()) {
    if (!path.ends_with(verb_)) return std::nullopt;
    path.remove_suffix(verb_.size());
    if (!path.ends_with(':')) return std::nullopt;
    path.remove_suffix(1);
  }
  const std::vector<std::string> pieces = Split(path);
  if (pieces.size() != segments_.size()) return std::nullopt;
  Variables variables;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string piece = PercentDecode(pieces[i]);
    if (!segments_[i].is_variable) {
      if (piece != segments_[i].text) return std::nullopt;
    } else {
      if (piece.empty()) return std::nullopt;
      variables.emplace_back(segments_[i].text, std::move(piece));
    }
  }
  return variables;
}

std::vector<std::string> PathTemplate::variables() const {
  std::vector<std::string> names;
  for (const Segment& segment : segments_) {
    if (segment.is_variable) names.push_back(segment.text);
  }
  return names;
}

}  // namespace ridestream::gateway
