#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"

namespace ridestream::loadtest {

/// The client's side of one Drive stream. Shared: its driver holds it, and gRPC holds it (`self_`)
/// until OnDone. Thread-safe; the listener is never called under the lock, and not from within a
/// call of the listener's own.
class DriverStream final
    : public grpc::ClientBidiReactor<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse> {
 public:
  /// Called on gRPC's threads: messages one at a time, OnClosed last. A stream that its listener
  /// has let go may still call; the listener compares `stream`.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnMessage(const DriverStream& stream,
                           const dispatch::v1::DriveResponse& message) = 0;
    /// The transport took it.
    virtual void OnWritten(const DriverStream& stream,
                           const dispatch::v1::DriveRequest& message) = 0;
    virtual void OnClosed(const DriverStream& stream, const absl::Status& status,
                          std::optional<std::chrono::milliseconds> retry_after) = 0;
  };
  /// Messages that may wait, positions and acks counted once; a stream that lets more pile up is
  /// cut, as an app would.
  static constexpr size_t kMaxQueue = 256;

  static std::shared_ptr<DriverStream> Open(dispatch::v1::DispatchService::Stub& stub,
                                            const std::string& market, const DriverId& driver_id,
                                            std::shared_ptr<Listener> listener);

  /// In this order. A newer position or ack takes the place of one that waits.
  void Send(std::vector<dispatch::v1::DriveRequest> messages);
  /// Breaks off, like a car in a tunnel.
  void Cut() { context_.TryCancel(); }
  /// Ends in order: what waits is written, then the server finishes.
  void HalfClose();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  explicit DriverStream(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Enqueue(dispatch::v1::DriveRequest message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::shared_ptr<Listener> listener_;
  grpc::ClientContext context_;
  dispatch::v1::DriveResponse incoming_;  // gRPC's during a read, then OnReadDone's.
  Mutex mu_;
  std::deque<dispatch::v1::DriveRequest> outgoing_ ABSL_GUARDED_BY(mu_);
  // Written under the lock; while `writing_`, gRPC reads it.
  dispatch::v1::DriveRequest in_flight_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool half_close_ ABSL_GUARDED_BY(mu_) = false;
  // No operation may start: OnDone can come at any time. Set at the latest when a read fails, which
  // is always under way until then, so that no write starts after OnDone.
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<DriverStream> self_;
};

}  // namespace ridestream::loadtest
