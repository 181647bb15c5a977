// healthprobe ADDRESS: for container health checks. Exits with 0 when the gRPC server at ADDRESS
// says that it is serving, with 1 and the reason on stderr when not. It proves itself by the
// certificate of the very service that it asks, and so takes the flags of that service, most easily
// from the container's environment.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "deploy/healthprobe/check_health.h"
#include "libs/rpc/security_flags.h"
#include "libs/service/service.h"

namespace ridestream {
namespace {

constexpr char kUsage[] =
    R"(Checks the health of a gRPC server.

  healthprobe HOST:PORT

Exit status: 0 if the server answers SERVING, otherwise 1.)";

absl::Status Run(const std::string& address) {
  constexpr std::chrono::seconds kPatience(3);
  const auto options = rpc::SecurityOptionsFromFlags();
  if (!options.ok()) return options.status();
  if (options->insecure) return CheckHealth(address, kPatience);
  const auto tls = rpc::TlsCredentials::Load(options->tls);
  if (!tls.ok()) return tls.status();
  return CheckHealth(address, kPatience, (*tls)->ForChannel({(*tls)->service()}));
}

}  // namespace
}  // namespace ridestream

int main(int argc, char** argv) {
  using namespace ridestream;
  const auto arguments = service::InitializeWithArguments(argc, argv, "healthprobe", kUsage);
  if (arguments.size() != 1) {
    return service::PrintFailure(
        absl::InvalidArgumentError("needs exactly one HOST:PORT; see --help"));
  }
  const absl::Status status = Run(arguments[0]);
  return status.ok() ? 0 : service::PrintFailure(status);
}
