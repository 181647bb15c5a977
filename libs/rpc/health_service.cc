#include "libs/rpc/health_service.h"

#include <fmt/format.h>

#include <utility>

#include "libs/rpc/status.h"

namespace ridestream::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthCheckResponse HealthService::Status() const {
  HealthCheckResponse response;
  response.set_status(serving_ && !drained_ ? HealthCheckResponse::SERVING
                                            : HealthCheckResponse::NOT_SERVING);
  return response;
}

void HealthService::SendStatus(const OneWatch& watch) const {
  if (watch.is_unknown) {
    HealthCheckResponse unknown;
    unknown.set_status(HealthCheckResponse::SERVICE_UNKNOWN);
    watch.stream->Replace(std::move(unknown));
  } else {
    watch.stream->Replace(Status());
  }
}

void HealthService::SetServing(bool serving) {
  MutexLock lock(mu_);
  serving_ = serving;
  // Under the lock, so that each watch gets two changes in their order.
  for (const auto& [key, watch] : watches_) SendStatus(watch);
}

void HealthService::Drain() {
  MutexLock lock(mu_);
  drained_ = true;
  for (const auto& [key, watch] : watches_) {
    SendStatus(watch);
    watch.stream->Close(
        grpc::Status(grpc::StatusCode::UNAVAILABLE, "the service is shutting down"));
  }
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (!request->service().empty()) {
    reactor->Finish(ToGrpcStatus(absl::NotFoundError(
        "service: is not known; leave it empty to ask for the server as a whole")));
    return reactor;
  }
  {
    MutexLock lock(mu_);
    *response = Status();
  }
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext*, const HealthCheckRequest* request) {
  std::size_t key = 0;
  {
    MutexLock lock(mu_);
    key = next_key_++;
  }
  const auto stream = Stream::Make({.on_done = [this, key] {
    MutexLock lock(mu_);
    watches_.erase(key);
  }});
  const absl::Status status = Add(key, {stream, !request->service().empty()});
  if (!status.ok()) stream->Close(ToGrpcStatus(status));
  return stream.get();
}

absl::Status HealthService::Add(std::size_t key, const OneWatch& watch) {
  MutexLock lock(mu_);
  if (drained_) return absl::UnavailableError("the service is shutting down");
  if (watches_.size() >= kMaxWatches) {
    return absl::ResourceExhaustedError(
        fmt::format("this server already has {} health watches, its limit", kMaxWatches));
  }
  watches_.emplace(key, watch);
  SendStatus(watch);
  return absl::OkStatus();
}

}  // namespace ridestream::rpc
