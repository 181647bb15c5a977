#pragma once

#include <cstddef>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/base/mutex.h"
#include "libs/rpc/push_stream.h"

namespace ridestream::rpc {

/// gRPC's standard health protocol, for the server as a whole. It replaces the library's health
/// service, which bounds neither the number of watches nor their memory (25 KB each). Thread-safe;
/// `mu_` is taken before a stream's lock.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  /// Watches that may be open; one more gets RESOURCE_EXHAUSTED.
  static constexpr std::size_t kMaxWatches = 256;

  void SetServing(bool serving);
  /// Reports NOT_SERVING from now on. Each watch gets it as its last message and ends.
  void Drain();

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  using Response = grpc::health::v1::HealthCheckResponse;
  using Stream = PushStream<Response>;

  struct OneWatch {
    std::shared_ptr<Stream> stream;
    /// The watched service isn't known here; its status never changes.
    bool is_unknown;
  };

  absl::Status Add(std::size_t key, const OneWatch& watch);
  void SendStatus(const OneWatch& watch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Response Status() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  bool serving_ ABSL_GUARDED_BY(mu_) = true;
  bool drained_ ABSL_GUARDED_BY(mu_) = false;
  std::size_t next_key_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::size_t, OneWatch> watches_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::rpc
