#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/base/mutex.h"
#include "libs/rpc/call_observer.h"
#include "libs/rpc/peer_address.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "services/dispatch/rpc/driver_session.h"

namespace ridestream::dispatch {

class SessionRegistry;

/// The full name of the method, for the observer of calls.
inline constexpr char kDriveMethod[] = "/ridestream.dispatch.v1.DispatchService/Drive";

/// The largest message that a driver may send: some times what the longest Hello needs.
inline constexpr std::size_t kMaxDriveRequestBytes = 4'096;

/// One call of Drive: reads what the driver sends into its session, and writes what the session has
/// to send. Holds no message of its own but the one in flight; what isn't acked waits in the
/// session. It is raw, i.e. parses what it reads itself: gRPC doesn't tell a message that can't be
/// parsed from a driver who half-closed, and limits sizes for the whole server only.
///
/// Shared: its session and the registry refer to it, gRPC does until OnDone. Thread-safe. Advance()
/// is the only place that starts a write or finishes.
class DriveStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                          public SessionStream,
                          public std::enable_shared_from_this<DriveStream> {
 public:
  DriveStream(SessionRegistry& registry, grpc::CallbackServerContext& context, DriverId driver,
              Time opened_at);
  /// Begins to read. Once, right after making it; gRPC holds it from then on. `observer` is told
  /// when it has ended, and may be null.
  void Begin(rpc::CallObserver* observer = nullptr);

  void Wake() override;
  void End(const absl::Status& status) override;
  /// Tells the driver to come back after a pause, and ends the stream.
  void SayGoodbye(Duration reconnect_after);

  /// Breaks off when it was to end and couldn't for so long, because the driver doesn't take what
  /// is being written. To be called now and then.
  void BreakOffIfStuck(Time now, Duration patience);
  /// When it was opened, while no Hello has come.
  std::optional<Time> WaitsForHelloSince() const;

  const rpc::PeerAddress& address() const { return address_; }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  absl::Status TakeRead();
  absl::Status Take(const v1::DriveRequest& request);
  absl::Status TakeHello(const v1::Hello& hello);
  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Write(const v1::DriveResponse& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  SessionRegistry& registry_;
  grpc::CallbackServerContext& context_;
  const DriverId driver_;
  const rpc::PeerAddress address_;
  const Time opened_at_;
  std::shared_ptr<DriveStream> self_;
  rpc::CallObserver* observer_ = nullptr;
  grpc::ByteBuffer read_;  // By the read that is under way.
  v1::DriveRequest request_;

  mutable Mutex mu_;
  // Set once, by the Hello.
  std::shared_ptr<DriverSession> session_ ABSL_GUARDED_BY(mu_);
  std::uint64_t epoch_ ABSL_GUARDED_BY(mu_) = 0;
  grpc::ByteBuffer in_flight_ ABSL_GUARDED_BY(mu_);
  std::optional<v1::DriveResponse> goodbye_ ABSL_GUARDED_BY(mu_);
  std::optional<grpc::Status> final_status_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  // When it was first seen that it can't end.
  std::optional<Time> stuck_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::dispatch
