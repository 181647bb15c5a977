#include "libs/rpc/channel.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ridestream::rpc {
namespace {

std::string ServiceConfig(const std::vector<std::string>& retried_services) {
  nlohmann::json names = nlohmann::json::array();
  for (const std::string& service : retried_services) names.push_back({{"service", service}});
  return nlohmann::json{{"methodConfig",
                         {{{"name", names},
                           {"retryPolicy",
                            {{"maxAttempts", 5},
                             {"initialBackoff", "0.05s"},
                             {"maxBackoff", "1s"},
                             {"backoffMultiplier", 2},
                             {"retryableStatusCodes", {"UNAVAILABLE"}}}}}}},
                        {"retryThrottling", {{"maxTokens", 100}, {"tokenRatio", 0.1}}}}
      .dump();
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options.keepalive.time.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(options.keepalive.timeout.count()));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Also how long an attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 1);
  // Services call each other directly, whatever proxy the environment names for the web.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Equal arguments share a connection, in one pool for the whole process.
  arguments.SetInt("ridestream.connection", options.connection);
  if (!options.retried_services.empty()) {
    arguments.SetServiceConfigJSON(ServiceConfig(options.retried_services));
  }
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

void SetTimeout(grpc::ClientContext& context, std::chrono::milliseconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

void SetTimeoutWithin(const grpc::ServerContextBase& caller, grpc::ClientContext& context,
                      std::chrono::milliseconds timeout) {
  context.set_deadline(
      std::min(caller.deadline(),
               std::chrono::system_clock::time_point(std::chrono::system_clock::now() + timeout)));
}

}  // namespace ridestream::rpc
