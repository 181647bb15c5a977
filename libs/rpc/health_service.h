#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/base/mutex.h"
#include "libs/rpc/push_stream.h"

namespace ridestream::rpc {

/// gRPC's standard health protocol, for the server as a whole (the empty name) and for named parts
/// of it. It replaces the library's health service, which limits neither the number of watches nor
/// their memory (25 KB each). Thread-safe; `mu_` is taken before a stream's lock.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  /// Maximum number of open watches. A further one gets RESOURCE_EXHAUSTED.
  static constexpr std::size_t kMaxWatches = 256;

  /// Initially the server as a whole is SERVING, and each part in `parts` is NOT_SERVING. There are
  /// no other parts.
  explicit HealthService(const std::set<std::string>& parts = {});

  /// Sets the health of a part, or with an empty name of the server as a whole.
  void SetServing(const std::string& part, bool serving);
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

  using Parts = std::map<std::string, bool>;

  struct OneWatch {
    std::shared_ptr<Stream> stream;
    /// end() for an unknown name, whose status never changes.
    Parts::const_iterator part;
  };

  absl::Status Add(std::size_t key, const OneWatch& watch);
  void SendStatus(const OneWatch& watch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Response Status(Parts::const_iterator part) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  Parts serving_ ABSL_GUARDED_BY(mu_);  // By the part's name; keys never change.
  bool drained_ ABSL_GUARDED_BY(mu_) = false;
  std::size_t next_key_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::size_t, OneWatch> watches_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::rpc
