#include "libs/rpc/health_service.h"

#include <fmt/format.h>

#include <utility>

#include "libs/base/invariant.h"
#include "libs/rpc/status.h"

namespace ridestream::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthService::HealthService(const std::set<std::string>& parts) : serving_{{"", true}} {
  for (const std::string& part : parts) serving_.emplace(part, false);
}

HealthCheckResponse HealthService::Status(Parts::const_iterator part) const {
  HealthCheckResponse response;
  if (part == serving_.end()) {
    response.set_status(HealthCheckResponse::SERVICE_UNKNOWN);
  } else {
    response.set_status(part->second && !drained_ ? HealthCheckResponse::SERVING
                                                  : HealthCheckResponse::NOT_SERVING);
  }
  return response;
}

void HealthService::SendStatus(const OneWatch& watch) const {
  watch.stream->Replace(Status(watch.part));
}

void HealthService::SetServing(const std::string& part, bool serving) {
  MutexLock lock(mu_);
  const auto found = serving_.find(part);
  if (!RIDESTREAM_INVARIANT(found != serving_.end(), "health is set of a part that is known")) {
    return;
  }
  found->second = serving;
  // Under the lock, so that every watch gets changes in order.
  for (const auto& [key, watch] : watches_) {
    if (watch.part == found) SendStatus(watch);
  }
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
  bool is_known = false;
  {
    MutexLock lock(mu_);
    const auto part = serving_.find(request->service());
    is_known = part != serving_.end();
    if (is_known) *response = Status(part);
  }
  reactor->Finish(
      is_known ? grpc::Status::OK
               : ToGrpcStatus(absl::NotFoundError(
                     "service: is not known; leave it empty to ask for the server as a whole")));
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext*, const HealthCheckRequest* request) {
  std::size_t key = 0;
  Parts::const_iterator part;
  {
    MutexLock lock(mu_);
    key = next_key_++;
    part = serving_.find(request->service());
  }
  const auto stream = Stream::Make({.on_done = [this, key] {
    MutexLock lock(mu_);
    watches_.erase(key);
  }});
  const absl::Status status = Add(key, {stream, part});
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
