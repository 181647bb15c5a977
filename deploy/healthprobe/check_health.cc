#include "deploy/healthprobe/check_health.h"

#include <fmt/format.h>

#include <utility>

#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/status.h"

namespace ridestream {

using grpc::health::v1::HealthCheckResponse;

absl::Status CheckHealth(const std::string& address, std::chrono::milliseconds timeout,
                         std::shared_ptr<grpc::ChannelCredentials> credentials) {
  const auto stub = grpc::health::v1::Health::NewStub(
      rpc::MakeChannel(address, {.credentials = std::move(credentials)}));
  grpc::ClientContext context;
  rpc::SetTimeout(context, timeout);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, {}, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  if (response.status() != HealthCheckResponse::SERVING) {
    return absl::UnavailableError(fmt::format("{} is not serving (health status {})", address,
                                              static_cast<int>(response.status())));
  }
  return absl::OkStatus();
}

}  // namespace ridestream
