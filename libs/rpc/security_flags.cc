#include "libs/rpc/security_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "absl/flags/flag.h"

ABSL_FLAG(std::string, tls_certificate, "",
          "PEM file with this service's certificate, whose URI names the service, followed by its "
          "intermediate certificates. Checked for changes every second, as are the other files of "
          "keys and certificates");
ABSL_FLAG(std::string, tls_key, "", "PEM file with the private key of --tls_certificate");
ABSL_FLAG(
    std::string, tls_authorities, "",
    "PEM file with the certificates of the authorities that sign the other services' certificates");
ABSL_FLAG(std::string, token_keys, "",
          "Public keys that verify callers' tokens: a JWKS file, or an https URL that is fetched "
          "every minute");
ABSL_FLAG(std::string, token_keys_authorities, "",
          "If --token_keys is a URL: PEM file with the certificates of the authorities to trust "
          "for it. Empty: the system's authorities");
ABSL_FLAG(std::string, token_issuer, "", "Issuer (claim iss) that tokens must have");
ABSL_FLAG(std::string, token_audience, "ridestream", "Audience (claim aud) that tokens must have");
ABSL_FLAG(std::string, revocations, "",
          "File of revoked tokens, one line 'sub SUBJECT' or 'jti ID' for each. Empty: no token is "
          "revoked");
ABSL_FLAG(bool, insecure, false,
          "Speak plaintext, and trust the identity that a caller states in the metadata "
          "ridestream-caller. For closed networks and experiments only");

namespace ridestream::rpc {

absl::StatusOr<Security::Options> SecurityOptionsFromFlags(double max_calls_per_s) {
  Security::Options options{
      .insecure = absl::GetFlag(FLAGS_insecure),
      .tls = {.certificate = absl::GetFlag(FLAGS_tls_certificate),
              .key = absl::GetFlag(FLAGS_tls_key),
              .authorities = absl::GetFlag(FLAGS_tls_authorities)},
      .tokens = {.key_file = absl::GetFlag(FLAGS_token_keys),
                 .key_authorities = absl::GetFlag(FLAGS_token_keys_authorities),
                 .revocation_file = absl::GetFlag(FLAGS_revocations),
                 .rules = {.issuer = absl::GetFlag(FLAGS_token_issuer),
                           .audience = absl::GetFlag(FLAGS_token_audience)}},
      .max_calls_per_s = max_calls_per_s};
  std::vector<std::string> missing;
  bool any = !options.tokens.revocation_file.empty() || !options.tokens.key_authorities.empty();
  for (const auto& [flag, value] : {std::pair("--tls_certificate", &options.tls.certificate),
                                    std::pair("--tls_key", &options.tls.key),
                                    std::pair("--tls_authorities", &options.tls.authorities),
                                    std::pair("--token_keys", &options.tokens.key_file),
                                    std::pair("--token_issuer", &options.tokens.rules.issuer)}) {
    if (value->empty()) missing.push_back(flag);
    any = any || !value->empty();
  }
  if (options.insecure) {
    if (!any) return options;
    return absl::InvalidArgumentError(
        "--insecure excludes certificates and token keys: set either");
  }
  if (missing.empty() && !options.tokens.rules.audience.empty()) return options;
  if (missing.empty()) missing.push_back("--token_audience");
  return absl::InvalidArgumentError(fmt::format(
      "{} must be given, so that callers can be identified (see docs/security.md; "
      "`authority create` makes throwaway files), or --insecure, which believes every caller",
      fmt::join(missing, ", ")));
}

}  // namespace ridestream::rpc
