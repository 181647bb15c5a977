#include "services/gateway/http/trace_url.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "services/gateway/http/hosts.h"

namespace ridestream::gateway {
namespace {

constexpr std::size_t kMaxTraceUrlBytes = 2'048;
constexpr std::string_view kTraceIdPlaceholder = "{trace_id}";

bool IsUrlCharacter(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
}

}  // namespace

absl::Status CheckTraceUrl(std::string_view url_template) {
  std::string_view rest = url_template;
  if (rest.size() > kMaxTraceUrlBytes)
    return absl::InvalidArgumentError("is longer than 2,048 bytes");
  const std::size_t scheme = rest.starts_with("https://") ? 8 : rest.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return absl::InvalidArgumentError("must begin with http:// or https://");
  rest.remove_prefix(scheme);
  const std::size_t path = std::min(rest.find_first_of("/?#"), rest.size());
  if (!HostName(rest.substr(0, path))) {
    return absl::InvalidArgumentError("must name a host, and no user, as http://HOST:PORT/ does");
  }
  rest.remove_prefix(path);
  const std::size_t at = rest.find(kTraceIdPlaceholder);
  if (at == std::string_view::npos) {
    return absl::InvalidArgumentError("must contain {trace_id} behind the host");
  }
  std::string plain(rest);
  plain.erase(at, kTraceIdPlaceholder.size());
  if (!std::all_of(plain.begin(), plain.end(), IsUrlCharacter)) {
    return absl::InvalidArgumentError(
        "must contain {trace_id} once, and else only characters of a URL: percent-encode others");
  }
  return absl::OkStatus();
}

}  // namespace ridestream::gateway
