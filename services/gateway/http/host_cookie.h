#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// A cookie for the gateway's own pages alone, which scripts can't read. Immutable.
///
/// Over TLS its name begins with __Host-: a browser keeps such a cookie only if this very host set
/// it over TLS, so no server of another name in the same domain can plant one, and no plaintext
/// response can. Browsers refuse that prefix over plain HTTP. The name then ends with the port
/// instead, since browsers send the cookies of a host to all its ports. The one name is never
/// accepted in place of the other.
class HostCookie {
 public:
  enum class SameSite { kLax, kStrict };

  /// `url` is where browsers reach the gateway. It decides whether they use TLS, and the port.
  HostCookie(std::string_view name, std::string_view url, SameSite same_site);

  const std::string& name() const { return name_; }
  /// The value of the field Set-Cookie that makes a browser keep the cookie, for `lifetime`.
  std::string Set(std::string_view value, std::chrono::seconds lifetime) const;
  /// The value of the field Set-Cookie that takes the cookie from a browser.
  std::string Clear() const { return Set("", std::chrono::seconds(0)); }
  /// See FindCookie.
  std::optional<std::string_view> In(const Headers& headers) const {
    return FindCookie(headers, name_);
  }

 private:
  std::string name_;
  std::string attributes_;
};

}  // namespace ridestream::gateway
