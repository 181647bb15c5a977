#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "tests/sim/context.h"
#include "tests/sim/host.h"

namespace ridestream::sim {

/// The time that a message takes.
Duration Latency(Context& context);

enum class Side { kClient, kServer };
inline Side Other(Side side) { return side == Side::kClient ? Side::kServer : Side::kClient; }

/// A stream between two hosts with gRPC's guarantees: ordered in each direction, and nothing more.
/// It can break at any message; then messages in flight are lost, and an end notices a half-open
/// stream late, by keepalive. Shared by its ends and its messages in flight. Not thread-safe.
class Link : public std::enable_shared_from_this<Link> {
 public:
  /// Called once when the end's stream is over, unless that end closed it or is dead.
  using OnClosed = std::function<void(const absl::Status&)>;

  static std::shared_ptr<Link> Open(Context& context, Host& client, Host& server, std::string name);
  void WhenClosed(Side side, OnClosed on_closed) { end(side).on_closed = std::move(on_closed); }

  /// Sends a message to the other end, where `deliver` is called.
  void Send(Side to, std::function<void()> deliver);
  /// This end has sent everything: the other end is notified after all earlier messages. Messages
  /// in flight to this end still arrive, until it leaves.
  void Finish(Side by, const absl::Status& status);
  void Leave(Side by);
  /// Both.
  void Close(Side by, const absl::Status& status) {
    Finish(by, status);
    Leave(by);
  }
  /// This end disappears silently.
  void Abandon(Side by);
  /// The connection breaks.
  void Break();

  const std::string& name() const { return name_; }
  /// Larger than that of any link opened before.
  std::uint64_t id() const { return id_; }
  bool IsOpen(Side side) const { return !ends_[Index(side)].closed; }
  /// Adds a delay to everything sent to this side from now on.
  void SlowDown(Side to, Duration by) { ends_[Index(to)].slower = by; }

 private:
  struct End {
    Host* host = nullptr;
    LifeWatch life;  // Of the host when the stream was opened.
    OnClosed on_closed;
    bool closed = false;
    Time last_arrival{};
    int on_their_way = 0;
    Duration slower{0};
    std::uint64_t connection = 0;
  };
  Link(Context& context, std::string name)
      : context_(context), name_(std::move(name)), id_(++context.last_id) {}

  static std::size_t Index(Side side) { return side == Side::kClient ? 0 : 1; }
  End& end(Side side) { return ends_[Index(side)]; }
  void Attach(Side side, Host& host);
  Time NextArrival(End& end);
  void NotifyEnd(Side side, const absl::Status& status, Duration after);
  void Closed(Side side, const absl::Status& status);
  void DropMessagesInFlight();

  Context& context_;
  const std::string name_;
  const std::uint64_t id_;
  bool broken_ = false;
  std::array<End, 2> ends_;
};

}  // namespace ridestream::sim
