#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// A cookie that only the gateway's own pages send, and that scripts can't read. Immutable.
///
/// Over TLS its name begins with __Host-. A browser accepts such a cookie only if the host itself
/// sets it over TLS, so neither another host of the same domain nor a plaintext response can set
/// one. Browsers refuse the prefix over plain HTTP. There the name ends with the port instead,
/// because browsers send the cookies of a host to all its ports. Neither name is accepted in place
/// of the other.
class HostCookie {
 public:
  enum class SameSite { kLax, kStrict };

  /// `url` is the URL at which browsers reach the gateway. It determines the port, and whether TLS
  /// is used.
  HostCookie(std::string_view name, std::string_view url, SameSite same_site);

  const std::string& name() const { return name_; }
  /// The value of the field Set-Cookie that makes a browser store the cookie for `lifetime`.
  std::string Set(std::string_view value, std::chrono::seconds lifetime) const;
  /// The value of the field Set-Cookie that deletes the cookie in a browser.
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
