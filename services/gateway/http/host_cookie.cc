#include "services/gateway/http/host_cookie.h"

#include <fmt/format.h>

#include "libs/base/host_port.h"
#include "services/gateway/http/origins.h"

namespace ridestream::gateway {

HostCookie::HostCookie(std::string_view name, std::string_view url, SameSite same_site)
    : name_(name),
      attributes_(
          fmt::format("HttpOnly; SameSite={}", same_site == SameSite::kStrict ? "Strict" : "Lax")) {
  if (url.starts_with(kHttps)) {
    name_.insert(0, "__Host-");
    attributes_ += "; Secure";
    return;
  }
  const std::string_view rest = AfterScheme(url);
  const auto address = ParseHostPort(rest.substr(0, rest.find('/')));
  if (address.ok()) name_ += fmt::format("-{}", address->port);
}

std::string HostCookie::Set(std::string_view value, std::chrono::seconds lifetime) const {
  return fmt::format("{}={}; Path=/; Max-Age={}; {}", name_, value, lifetime.count(), attributes_);
}

}  // namespace ridestream::gateway
