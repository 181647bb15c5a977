#include "libs/process/authority.h"

#include <fmt/format.h>

#include "libs/base/clock.h"
#include "libs/identity/development_authority.h"

namespace ridestream::process {

absl::Status MakeAuthority(const std::string& folder) {
  return identity::DevelopmentAuthority::Create(
      folder,
      {.services = {"trip", "location", "dispatch", "gateway", "exporter", "loadtest", "door"}},
      ScaledClock().Now());
}

std::vector<std::string> SecurityFlags(const std::string& authority, const std::string& service) {
  if (authority.empty()) return {"--insecure"};
  const identity::TokenRules rules = identity::DevelopmentTokenRules();
  return {fmt::format("--tls_certificate={}/{}.pem", authority, service),
          fmt::format("--tls_key={}/{}.key", authority, service),
          fmt::format("--tls_authorities={}/authority.pem", authority),
          fmt::format("--token_keys={}/jwks.json", authority),
          fmt::format("--revocations={}/revoked", authority),
          "--token_issuer=" + rules.issuer,
          "--token_audience=" + rules.audience};
}

std::string LoadtestSecurityFlag(const std::string& authority) {
  return authority.empty() ? "--insecure" : "--authority=" + authority;
}

}  // namespace ridestream::process
