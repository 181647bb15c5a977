#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "services/dispatch/drive/drive_stream.h"
#include "tests/sim/link.h"

namespace ridestream::sim {

class DispatchProcess;

/// The transport of the server's end of one Drive: a Link that behaves like gRPC. Shared by its
/// process and its scheduled tasks. Not thread-safe.
class DriveLink final : public dispatch::DuplexStream,
                        public std::enable_shared_from_this<DriveLink> {
 public:
  using Deliver = std::function<void(const dispatch::v1::DriveResponse&)>;

  /// `deliver` is called at the driver.
  DriveLink(Context& context, DispatchProcess& process, std::shared_ptr<Link> link, DriverId driver,
            Deliver deliver);
  /// The call was attached to this stream.
  void Begin(std::shared_ptr<dispatch::DriveStream> stream);
  void OnMessage(const dispatch::v1::DriveRequest& request);
  /// The process ends: nothing is in flight any more.
  void Release();

  /// Sets the epoch under which the market knows the link.
  void HasEpoch(std::uint64_t epoch) { epoch_ = epoch; }
  std::uint64_t epoch() const { return epoch_; }
  /// Since when the driver has taken nothing that was written, unless the stream was broken off.
  std::optional<Time> stuck_since() const {
    return writing_ && !cancelled_ ? std::optional(writing_since_) : std::nullopt;
  }

  const Link& link() const { return *link_; }
  const DriverId& driver() const { return driver_; }

  void Write(const dispatch::v1::DriveResponse& message) override;
  void Finish(const absl::Status& status) override;
  void Cancel() override;

  /// Whether later messages from the driver are ignored.
  bool said_goodbye() const { return said_goodbye_; }

 private:
  void OnGone();
  void OnTaken();
  void OnDone();

  Context& context_;
  DispatchProcess& process_;
  const std::shared_ptr<Link> link_;
  const DriverId driver_;
  const Deliver deliver_;
  std::shared_ptr<dispatch::DriveStream> stream_;
  std::uint64_t epoch_ = 0;
  bool reading_ = true;
  bool writing_ = false;
  bool said_goodbye_ = false;
  Time writing_since_{};
  bool cancelled_ = false;
  bool gone_ = false;
};

}  // namespace ridestream::sim
