#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

inline constexpr std::string_view kHttp = "http://";
inline constexpr std::string_view kHttps = "https://";

/// The part after the scheme, which browsers send as Host: "ride.example:8443" for the origin
/// "https://ride.example:8443". Empty if the text isn't an http or https URL.
std::string_view AfterScheme(std::string_view url);

/// Whether a request comes from no page, or from a page of its own host, by the value of `Origin`,
/// which scripts can't forge. `tls`: browsers reach the gateway by https. A page that the same
/// host served by http then doesn't count as its own, because anybody on the network may have
/// written it.
bool IsOwnOrigin(const Headers& headers, bool tls);

/// Decides which pages may call the gateway from a browser: its own pages, and those of listed
/// origins. This is CORS, and the same rule for WebSockets, to which CORS doesn't apply. Must not
/// be changed after its first use.
class Origins {
 public:
  /// `list` is "https://a.example,http://localhost:5173", "*" for all, or empty. INVALID_ARGUMENT
  /// names an entry that isn't an origin.
  static absl::StatusOr<Origins> Parse(std::string_view list);

  /// Accepts only https for the gateway's own origin: see IsOwnOrigin.
  void RequireTls() { tls_ = true; }

  /// Without an `Origin`, a request is allowed if it isn't a browser's, if the page is of the same
  /// host, or if a browser follows a link. It isn't allowed if a page of another site embeds the
  /// response, for example as an image.
  bool Allow(const Request& request) const;
  /// The headers that let the page read the response to an allowed request.
  Headers AnswerHeaders(const Request& request) const;
  /// The response to a preflight request (OPTIONS).
  Response Preflight(const Request& request) const;

 private:
  bool tls_ = false;
  bool all_ = false;
  std::vector<std::string> listed_;
};

}  // namespace ridestream::gateway
