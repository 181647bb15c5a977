#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"
#include "libs/base/peer_address.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "services/dispatch/drive/driver_session.h"
#include "services/dispatch/drive/duplex_stream.h"

namespace ridestream::dispatch {

class SessionRegistry;

/// One call of Drive: passes the driver's messages to its session, and writes the session's
/// messages. Holds no messages itself; those without an ack wait in the session.
/// Shared by its transport, its session and the registry. Thread-safe. Advance() is the only place
/// that starts a write or finishes the call.
class DriveStream final : public SessionStream, public std::enable_shared_from_this<DriveStream> {
 public:
  /// `transport` must live until it has called OnDone. `id` is assigned by the registry.
  DriveStream(SessionRegistry& registry, DuplexStream& transport, std::uint64_t id, DriverId driver,
              PeerAddress address, Time opened_at);

  void Wake() override;
  void End(const absl::Status& status) override;
  /// Sends the driver a Goodbye, and ends the stream with `status`.
  void SendGoodbye(v1::Goodbye goodbye, const absl::Status& status);

  /// Cuts a stream that should have ended `patience` ago but can't, because the driver doesn't read
  /// what is being written. Call periodically.
  void BreakOffIfStuck(Time now, Duration patience);
  /// When the stream was opened, if no Hello has arrived yet.
  std::optional<Time> WaitsForHelloSince() const;

  std::uint64_t id() const { return id_; }
  const PeerAddress& address() const { return address_; }

  // Called by the transport, without a lock.

  /// A message arrived. Called for one message at a time. Returns false if no more messages must be
  /// read.
  bool OnRead(const v1::DriveRequest& request);
  /// The driver half-closed the stream, or the connection is gone.
  void OnReadsEnded();
  /// The write has completed. If `ok` is false it failed, and any further write would too.
  void OnWritten(bool ok);
  /// The call was cancelled by the driver, by DuplexStream::Cancel, or because the connection is
  /// gone.
  void OnCancelled();
  /// Called last, once, after Finish, when nothing else is in progress. Returns how the stream
  /// ended.
  absl::Status OnDone();

 private:
  absl::Status Handle(const v1::DriveRequest& request);
  absl::Status OnHello(const v1::Hello& hello);
  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Write(const v1::DriveResponse& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  SessionRegistry& registry_;
  DuplexStream& transport_;
  const std::uint64_t id_;
  const DriverId driver_;
  const PeerAddress address_;
  const Time opened_at_;

  mutable Mutex mu_;
  // Set once, by the Hello.
  std::shared_ptr<DriverSession> session_ ABSL_GUARDED_BY(mu_);
  std::uint64_t epoch_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<v1::DriveResponse> goodbye_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> final_status_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  // When the stream was first found unable to end.
  std::optional<Time> stuck_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::dispatch
