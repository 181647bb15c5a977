#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

inline constexpr std::string_view kHttp = "http://";
inline constexpr std::string_view kHttps = "https://";

/// What follows the scheme: "ride.example:8443", which browsers send as Host, of the origin
/// "https://ride.example:8443". Empty if the text is no http or https URL.
std::string_view AfterScheme(std::string_view url);

/// Whether a request comes from no page, or from one that its own host served. The value of
/// `Origin`, which scripts can't forge, decides. `tls`: browsers reach the gateway by https. A page
/// of the same host that came by http is another then: anybody on the way may have written it.
bool IsOwnOrigin(const Headers& headers, bool tls);

/// Which pages may call the gateway from a browser: those it serves itself, and those of the
/// origins it is told (CORS, and the same for WebSockets, which CORS leaves open). Immutable once
/// it is in use.
class Origins {
 public:
  /// `list` is "https://a.example,http://localhost:5173", "*" for all, or empty. INVALID_ARGUMENT
  /// names an entry that isn't an origin.
  static absl::StatusOr<Origins> Parse(std::string_view list);

  /// Takes only https for the gateway's own origin, see IsOwnOrigin.
  void RequireTls() { tls_ = true; }

  /// True without an `Origin` too, when it is no browser, one that asks its own host, or one that
  /// follows a link; not when it is for a page of another site, as an image is.
  bool Allow(const Request& request) const;
  /// The headers that let the page read the answer to an allowed request.
  Headers AnswerHeaders(const Request& request) const;
  /// The answer to a browser's question whether it may (OPTIONS).
  Response Preflight(const Request& request) const;

 private:
  bool tls_ = false;
  bool all_ = false;
  std::vector<std::string> listed_;
};

}  // namespace ridestream::gateway
