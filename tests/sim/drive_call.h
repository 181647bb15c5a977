#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "services/dispatch/sessions/driver_session.h"
#include "tests/sim/link.h"

namespace ridestream::sim {

class DispatchProcess;

/// The server's side of one Drive: what rpc/drive_stream does with gRPC, done with a Link. Shared
/// by its process and its session. Not thread-safe.
class DriveCall final : public dispatch::SessionStream,
                        public std::enable_shared_from_this<DriveCall> {
 public:
  using Deliver = std::function<void(const dispatch::v1::DriveResponse&)>;

  /// `deliver` is called at the driver.
  DriveCall(Context& context, DispatchProcess& process, std::shared_ptr<Link> link, DriverId driver,
            Deliver deliver);

  void OnMessage(const dispatch::v1::DriveRequest& request);
  /// The link is closed: nothing can be sent any more.
  void OnLinkClosed(const absl::Status& status);

  void Wake() override { Advance(); }
  void End(const absl::Status& status) override;

  /// When it was opened, while no Hello has come.
  std::optional<Time> WaitsForHelloSince() const;
  /// The process has died.
  void LetGo() { session_.reset(); }

  const Link& link() const { return *link_; }

 private:
  absl::Status Take(const dispatch::v1::DriveRequest& request);
  absl::Status TakeHello(dispatch::v1::Hello hello);
  void Advance();
  void Write(const dispatch::v1::DriveResponse& message);
  void OnDone();

  Context& context_;
  DispatchProcess& process_;
  const std::shared_ptr<Link> link_;
  const DriverId driver_;
  const Deliver deliver_;
  const Time opened_at_;
  std::shared_ptr<dispatch::DriverSession> session_;
  std::uint64_t epoch_ = 0;
  std::optional<absl::Status> final_status_;
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace ridestream::sim
