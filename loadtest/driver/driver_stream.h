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

/// The client's end of one Drive stream. Shared: its driver holds it, and gRPC holds it (`self_`)
/// until OnDone. Thread-safe; the listener is never called under the lock, nor from within its own
/// calls to this object.
class DriverStream final
    : public grpc::ClientBidiReactor<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse> {
 public:
  /// Called on gRPC's threads: messages one at a time, OnClosed last. A stream that its listener
  /// has released may still call, so the listener compares `stream`.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnMessage(const DriverStream& stream,
                           const dispatch::v1::DriveResponse& message) = 0;
    /// The transport has taken the message if `ok`. Otherwise the stream broke, and the message may
    /// have arrived.
    virtual void OnWritten(const DriverStream& stream, const dispatch::v1::DriveRequest& message,
                           bool ok) = 0;
    virtual void OnClosed(const DriverStream& stream, const absl::Status& status,
                          std::optional<std::chrono::milliseconds> retry_after) = 0;
  };
  /// Maximum number of waiting messages, where positions and acks count as one each. A stream with
  /// more is cut, as an app would do.
  static constexpr size_t kMaxQueue = 256;

  static std::shared_ptr<DriverStream> Open(dispatch::v1::DispatchService::Stub& stub,
                                            const std::string& market, const DriverId& driver_id,
                                            std::shared_ptr<Listener> listener);

  /// Sends the messages in order. A newer position or ack replaces a waiting one.
  void Send(std::vector<dispatch::v1::DriveRequest> messages);
  /// Cancels the stream, as when a car enters a tunnel.
  void Cut() { context_.TryCancel(); }
  /// Ends the stream in order: waiting messages are written, then the server finishes.
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
  dispatch::v1::DriveResponse incoming_;  // Used by gRPC during a read, then by OnReadDone.
  Mutex mu_;
  std::deque<dispatch::v1::DriveRequest> outgoing_ ABSL_GUARDED_BY(mu_);
  // Written under the lock; gRPC reads it while `writing_`.
  dispatch::v1::DriveRequest in_flight_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool half_close_ ABSL_GUARDED_BY(mu_) = false;
  // No operation may start, because OnDone can come at any time. Set at the latest when a read
  // fails; until then a read is always pending, so no write starts after OnDone.
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<DriverStream> self_;
};

}  // namespace ridestream::loadtest
