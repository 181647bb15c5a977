#include "libs/rpc/channel.h"

#include <google/protobuf/descriptor.h>

#include <nlohmann/json.hpp>

#include "grpc/support/log.h"
#include "libs/rpc/callback_threads.h"
#include "libs/rpc/client_security.h"
#include "libs/rpc/grpc_log.h"

namespace ridestream::rpc {
namespace {

/// Converts a target to a URI for gRPC's resolver; a list of addresses needs a scheme.
std::string ToUri(const std::string& target) {
  if (!IsAddressList(target)) return target;
  return (target.starts_with('[') ? "ipv6:" : "ipv4:") + target;
}

/// The unary calls of these services, which gRPC may make again. To retry a client's stream, it
/// would keep all messages since the beginning and send the old ones again, to a server that needs
/// only the newest. A server's stream that is cut would count as a failed attempt in
/// retryThrottling, although it can't be retried once it has begun.
nlohmann::json RetriedCalls(const std::vector<std::string>& services) {
  nlohmann::json calls = nlohmann::json::array();
  for (const std::string& service : services) {
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
    GPR_ASSERT(descriptor != nullptr);
    for (int i = 0; i < descriptor->method_count(); ++i) {
      const auto* method = descriptor->method(i);
      if (method->client_streaming() || method->server_streaming()) continue;
      calls.push_back({{"service", service}, {"method", method->name()}});
    }
  }
  return calls;
}

void AddRetries(const std::vector<std::string>& services, nlohmann::json& config) {
  config["methodConfig"] = {{{"name", RetriedCalls(services)},
                             {"retryPolicy",
                              {{"maxAttempts", 5},
                               {"initialBackoff", "0.05s"},
                               {"maxBackoff", "1s"},
                               {"backoffMultiplier", 2},
                               {"retryableStatusCodes", {"UNAVAILABLE", "CANCELLED"}}}}}};
  // Each failed attempt takes a token, each successful call returns one, and nothing is retried
  // while fewer than half are left.
  config["retryThrottling"] = {{"maxTokens", 1'000}, {"tokenRatio", 1}};
}

/// Restricts calls to addresses whose health is SERVING. Among gRPC's policies only this one
/// watches health.
void AddHealthChecks(const std::string& part, nlohmann::json& config) {
  config["loadBalancingConfig"] = {{{"round_robin", nlohmann::json::object()}}};
  config["healthCheckConfig"] = {{"serviceName", part}};
}

}  // namespace

bool IsAddressList(const std::string& target) { return target.find(',') != std::string::npos; }

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options) {
  LogGrpcMessages();
  KeepCallbackThreads();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options.keepalive.time.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(options.keepalive.timeout.count()));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // gRPC 1.51 restarts the keepalive timer when it sends a PING to estimate the bandwidth. On a
  // connection that has just gone silent, that would delay the detection by up to the whole time.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   static_cast<int>(options.connect_within.count()));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // gRPC's default of 30 s is how long a service whose name moves to another address would be away.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1'000);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 1);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // Services call each other directly, whatever web proxy the environment names.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Channels with equal arguments share a connection; the pool is process-wide.
  arguments.SetInt("ridestream.connection", options.connection);
  nlohmann::json config;
  if (!options.retried_services.empty()) AddRetries(options.retried_services, config);
  if (IsAddressList(target)) AddHealthChecks(options.health_part, config);
  if (!config.empty()) arguments.SetServiceConfigJSON(config.dump());
  std::shared_ptr<grpc::ChannelCredentials> credentials = options.credentials;
  if (credentials == nullptr) credentials = ClientCredentials();
  if (credentials == nullptr) credentials = grpc::InsecureChannelCredentials();
  return grpc::CreateCustomChannel(ToUri(target), credentials, arguments);
}

void SetTimeout(grpc::ClientContext& context, std::chrono::milliseconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

}  // namespace ridestream::rpc
