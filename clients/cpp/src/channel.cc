#include "clients/cpp/src/channel.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/src/errors.h"
#include "grpc/support/time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace ridestream::client {
namespace {

std::string TrailerOf(const grpc::ClientContext& context, const char* key) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(key);
  return found == trailers.end() ? "" : std::string(found->second.data(), found->second.size());
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Connection& connection) {
  if (!connection.insecure_caller.empty()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = connection.roots;
  return grpc::SslCredentials(options);
}

}  // namespace

absl::StatusOr<Proof> Prove(const Connection& connection) {
  if (!connection.insecure_caller.empty()) {
    return Proof{"ridestream-caller", connection.insecure_caller};
  }
  if (!connection.token) return Proof{};
  absl::StatusOr<std::string> token = connection.token();
  if (!token.ok()) return token.status();
  return Proof{"authorization", absl::StrCat("Bearer ", *token)};
}

void AddMetadata(grpc::ClientContext& context, const Proof& proof, const std::string& market) {
  if (!proof.key.empty()) context.AddMetadata(proof.key, proof.value);
  if (!market.empty()) context.AddMetadata("ridestream-market", market);
}

std::shared_ptr<grpc::Channel> OpenChannel(const Connection& connection,
                                           const std::string& address) {
  grpc::ChannelArguments arguments;
  // Else channels to one address share a connection, which may be half-open.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // This library repeats calls itself.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A half-open connection ends after 30 s also where nothing is sent.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // PINGs that estimate the bandwidth would restart the keepalive timer.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // The pauses of this library decide; the channel's own come on top of them.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // How long a connection may take to be made.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  return grpc::CreateCustomChannel(address, CredentialsOf(connection), arguments);
}

absl::Status StatusOf(const grpc::Status& status, const grpc::ClientContext& context) {
  if (status.ok()) return absl::OkStatus();
  ErrorDetails details;
  std::uint32_t retry_after_ms = 0;
  if (absl::SimpleAtoi(TrailerOf(context, "retry-after-ms"), &retry_after_ms)) {
    details.retry_after = std::chrono::milliseconds(retry_after_ms);
  }
  details.market = TrailerOf(context, "ridestream-market");
  details.address = TrailerOf(context, "ridestream-address");
  return MakeError(static_cast<absl::StatusCode>(status.error_code()), status.error_message(),
                   details);
}

gpr_timespec ToGrpc(std::chrono::steady_clock::time_point time) {
  const auto now = std::chrono::steady_clock::now();
  // A past time can be so far away that the difference can't be counted.
  const std::chrono::nanoseconds left = time <= now ? std::chrono::nanoseconds::zero() : time - now;
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(left.count(), GPR_TIMESPAN));
}

}  // namespace ridestream::client
