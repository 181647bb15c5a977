// The throwaway authority for development: makes certificates and a token key, and mints tokens.
// Also makes keys for the sessions of browsers.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/identity/development_authority.h"
#include "libs/service/flag_range.h"
#include "libs/service/service.h"

ABSL_FLAG(std::string, folder, ".ride/authority", "Folder of the authority's files");
ABSL_FLAG(std::vector<std::string>, services,
          (std::vector<std::string>{"trip", "location", "dispatch", "gateway", "exporter",
                                    "loadtest", "door"}),
          "create: services that get a certificate. NAME=SERVICE gives a process of SERVICE a "
          "certificate of its own, with the DNS name NAME");
ABSL_FLAG(bool, force, false, "create: replace the authority that the folder holds");
ABSL_FLAG(std::string, market, "",
          "token: the only market in which the caller may act. Empty: every market");
RIDESTREAM_RANGED_FLAG(absl::Duration, for, absl::Hours(1), "token: how long the token is valid", absl::Seconds(1), absl::Hours(720));

namespace ridestream::identity {
namespace {

constexpr char kUsage[] =
    R"(Creates and uses a throwaway certificate authority. For development only.

  authority create [--folder] [--services] [--force]
      creates a folder with certificates, keys, a key set for tokens and a list of revocations;
      without --force, refuses a folder that holds an authority already
  authority token ROLE/ID [--folder] [--market] [--for]
      prints a token for rider/ID, driver/ID, operator/ID or viewer/ID
  authority key FILE
      writes a new private key to FILE, for the gateway's --session_key, and prints the key set with
      its public half, for the services' --token_keys. Fit for production, unlike the rest)";

absl::Status Print(const std::string& text) {
  fmt::print("{}\n", text);
  return std::fflush(stdout) == 0 ? absl::OkStatus() : absl::InternalError("can't print");
}

absl::Status PrintToken(const std::string& name, Time now) {
  absl::StatusOr<Principal> principal = ParsePrincipal(name);
  if (!principal.ok()) return principal.status();
  principal->market = absl::GetFlag(FLAGS_market);
  const absl::Duration lifetime = absl::GetFlag(FLAGS_for);
  const auto token = DevelopmentAuthority::MintToken(absl::GetFlag(FLAGS_folder), *principal, now,
                                                     absl::ToChronoSeconds(lifetime));
  if (!token.ok()) return token.status();
  return Print(*token);
}

absl::Status CreateKey(const std::string& path) {
  const auto keys = CreateTokenKey(path);
  return keys.ok() ? Print(*keys) : keys.status();
}

absl::Status Create(Time now) {
  const std::string folder = absl::GetFlag(FLAGS_folder);
  // The file that is written last: an authority that isn't whole is no loss.
  std::error_code error;
  if (!absl::GetFlag(FLAGS_force) && std::filesystem::exists(folder + "/tokens.jwk", error)) {
    return absl::AlreadyExistsError(fmt::format(
        "{} holds an authority already. --force replaces it; its certificates and tokens "
        "are then refused",
        folder));
  }
  return DevelopmentAuthority::Create(folder, {.services = absl::GetFlag(FLAGS_services)}, now);
}

absl::Status Run(const std::vector<std::string>& arguments) {
  const Time now = ScaledClock().Now();
  if (arguments.size() == 1 && arguments[0] == "create") return Create(now);
  if (arguments.size() == 2 && arguments[0] == "token") return PrintToken(arguments[1], now);
  if (arguments.size() == 2 && arguments[0] == "key") return CreateKey(arguments[1]);
  return absl::InvalidArgumentError(
      "the command must be create, token ROLE/ID or key FILE; see --help");
}

}  // namespace
}  // namespace ridestream::identity

int main(int argc, char** argv) {
  using namespace ridestream;
  const auto arguments =
      service::InitializeWithArguments(argc, argv, "authority", identity::kUsage);
  const absl::Status status = identity::Run(arguments);
  return status.ok() ? 0 : service::PrintFailure(status);
}
