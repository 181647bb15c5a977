#include "libs/rpc/security_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "absl/flags/flag.h"

ABSL_FLAG(std::string, tls_certificate, "",
          "File with this service's certificate, whose URI names it, and the intermediate ones "
          "after it, as PEM; read again every second, as are the next ones");
ABSL_FLAG(std::string, tls_key, "", "File with the private key of --tls_certificate, as PEM");
ABSL_FLAG(std::string, tls_authorities, "",
          "File with the certificates of the authorities that other services' lead to, as PEM");
ABSL_FLAG(std::string, token_keys, "",
          "File with the public keys that callers' tokens are signed with, as a JWKS; or the https "
          "URL of one, fetched every minute");
ABSL_FLAG(
    std::string, token_keys_authorities, "",
    "For a URL as --token_keys: file with the certificates of the authorities to trust there, "
    "as PEM; empty: the system's");
ABSL_FLAG(std::string, token_issuer, "", "The issuer (claim iss) of tokens");
ABSL_FLAG(std::string, token_audience, "ridestream",
          "The audience (claim aud) that tokens must have");
ABSL_FLAG(std::string, revocations, "",
          "File that lists revoked tokens, a line 'sub SUBJECT' or 'jti ID' for each; empty: none");
ABSL_FLAG(bool, insecure, false,
          "Speak plaintext, and believe callers who say in the metadata ridestream-caller who they "
          "are: for closed networks and experiments");

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
        "--insecure excludes certificates and token keys: give either it or them");
  }
  if (missing.empty() && !options.tokens.rules.audience.empty()) return options;
  if (missing.empty()) missing.push_back("--token_audience");
  return absl::InvalidArgumentError(fmt::format(
      "{} must be given, so that callers can be known (docs/security.md tells how; "
      "`authority create` makes throwaway files), or --insecure, which believes everybody",
      fmt::join(missing, ", ")));
}

}  // namespace ridestream::rpc
