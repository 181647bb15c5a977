#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "clients/cpp/src/backoff.h"
#include "clients/cpp/src/commands.h"
#include "clients/cpp/src/errors.h"
#include "clients/cpp/src/route.h"
#include "clients/cpp/src/session.h"
#include "ridestream/client/driver.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::client {

/// The client's side of docs/driver_client.md, without input and output: messages, ends of streams
/// and times go in; messages, and whether to have a stream, come out. Its owner
///  * calls OnTime() at wake_at(), and after every other call looks at the following,
///  * cuts a stream that it holds while is_connected() is false,
///  * opens one to address() when MustOpen(), and says by OnOpen() with which proof, or Stop()s,
///  * sends NextRequest() as soon as the stream takes a message.
/// Not thread-safe.
class DriverProtocol {
 public:
  using Time = std::chrono::steady_clock::time_point;

  DriverProtocol(dispatch::v1::Hello hello, const std::string& address, std::uint64_t seed);

  // Streams.
  bool MustOpen(Time now) const;
  const std::string& address() const { return route_.address(); }
  /// `proof` is what the stream's metadata say about the caller. The next message is Hello.
  void OnOpen(std::string proof, Time now);
  bool is_connected() const;
  void OnMessage(const dispatch::v1::DriveResponse& message, Time now);
  /// The stream ended by itself.
  void OnClosed(const absl::Status& status, Time now);
  /// Ends for good: OK, because the app wants so; or by an error that a retry doesn't change.
  void Stop(const absl::Status& status);

  // Time.
  void OnTime(Time now);
  /// When OnTime() is due. `can_send`: whether the stream takes a message now.
  Time wake_at(bool can_send) const;
  /// The next message that has to be sent now.
  std::optional<dispatch::v1::DriveRequest> NextRequest(Time now);

  // The app.
  void Command(dispatch::v1::DriveRequest request, OnResult on_result);
  /// The sequence is filled in.
  void MoveTo(const dispatch::v1::Position& position);
  std::optional<Event> TakeEvent() { return session_.Take(); }
  bool has_ended() const { return state_ == State::kEnded; }
  /// Why it ended.
  const absl::Status& status() const { return status_; }
  const std::optional<dispatch::v1::Plan>& plan() const { return session_.plan(); }
  std::chrono::nanoseconds TimeLeft(const dispatch::v1::Offer& offer, Time now) const;

 private:
  enum class State { kPaused, kConnecting, kLive, kEnded };

  absl::Status OnFirst(const dispatch::v1::DriveResponse& message, Time now);
  absl::Status OnLater(const dispatch::v1::DriveResponse& message);
  void OnGoodbye(const dispatch::v1::Goodbye& goodbye, Time now);
  void OnStreamEnd(const absl::Status& status, Time now);
  bool IsFinal(const absl::Status& status, Time now);
  std::chrono::nanoseconds PauseAfter(const absl::Status& status, bool is_redirect);
  void Enqueue(const dispatch::v1::DriveRequest& request);
  void Report();
  std::chrono::nanoseconds ToDevice(std::chrono::nanoseconds service) const;
  std::chrono::nanoseconds ReportEvery() const;
  std::chrono::nanoseconds HeartbeatEvery() const;
  std::chrono::nanoseconds Silence() const;

  const dispatch::v1::Hello hello_;
  Session session_;
  Commands commands_;
  Route route_;
  Backoff backoff_;
  RefusedProof refused_;
  int faults_ = 0;  // Streams in a row that ended with one.

  State state_ = State::kPaused;
  absl::Status status_;
  Time resume_at_ = Time::min();  // While paused.
  std::string proof_;
  Time opened_at_;
  Time welcomed_at_;
  Time silent_at_;  // Without a message until then the stream is given up.
  bool must_send_hello_ = false;

  // What the stream has to send.
  std::deque<dispatch::v1::DriveRequest> outgoing_;
  std::uint64_t acked_ = 0;
  std::optional<dispatch::v1::Position> position_;
  std::uint64_t position_sequence_ = 0;
  Time sent_at_;
  Time reported_at_;
};

}  // namespace ridestream::client
