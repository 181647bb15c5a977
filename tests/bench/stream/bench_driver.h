#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "grpcpp/grpcpp.h"
#include "grpcpp/support/client_callback.h"
#include "libs/base/geo.h"
#include "libs/base/mutex.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"

namespace ridestream::bench {

/// The simplest possible driver: sends Hello, then positions as fast as the stream takes them
/// (Flood) or on demand (Report), acks every push and declines offers. Used against dispatch and
/// the bare server, so that both handle the same load. Thread-safe.
class BenchDriver final
    : public grpc::ClientBidiReactor<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse> {
 public:
  struct Options {
    std::string id;
    std::string market = "city";
    LatLng start;
    /// Called for each push, on a thread of gRPC.
    std::function<void(const dispatch::v1::DriveResponse&)> on_push = nullptr;
  };

  BenchDriver(dispatch::v1::DispatchService::Stub& stub, Options options);
  /// Call Stop and WaitUntilDone before destroying it.
  ~BenchDriver() override = default;

  void WaitUntilWelcome();
  /// Sends one position after another until Stop.
  void Flood();
  /// Sends one position.
  void Report();
  /// Sends one message unchanged, for a ping.
  void Send(const dispatch::v1::DriveRequest& request);
  /// Half-closes after the current write.
  void Stop();
  grpc::Status WaitUntilDone();

  /// Number of positions that the transport has taken.
  std::uint64_t positions_sent() const { return positions_sent_.load(std::memory_order_relaxed); }

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  grpc::ClientContext context_;
  dispatch::v1::DriveResponse incoming_;
  std::atomic<std::uint64_t> positions_sent_ = 0;

  Mutex mu_;
  CondVar changed_;
  dispatch::v1::DriveRequest in_flight_ ABSL_GUARDED_BY(mu_);
  std::optional<dispatch::v1::DriveRequest> hello_ ABSL_GUARDED_BY(mu_);
  std::optional<dispatch::v1::DriveRequest> answer_ ABSL_GUARDED_BY(mu_);
  std::optional<dispatch::v1::DriveRequest> message_ ABSL_GUARDED_BY(mu_);
  std::uint64_t ack_due_ ABSL_GUARDED_BY(mu_) = 0;
  std::uint64_t position_sequence_ ABSL_GUARDED_BY(mu_) = 0;
  int reports_due_ ABSL_GUARDED_BY(mu_) = 0;
  bool flooding_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool welcome_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<grpc::Status> status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::bench
