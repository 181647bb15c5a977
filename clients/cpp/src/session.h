#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "ridestream/client/driver.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::client {

/// A driver's session over all its streams: what the messages of the service change, which events
/// the app hasn't taken, and what the next Hello says. Errors are of the kind kProtocol. Not
/// thread-safe.
class Session {
 public:
  /// The first message of the next stream.
  dispatch::v1::Hello ToHello(const dispatch::v1::Hello& hello) const;
  /// The first message of a stream.
  absl::Status OnWelcome(const dispatch::v1::DriveResponse& message);
  /// Any later message but Goodbye. `is_answer`: a command waits for this rejection, so that the
  /// app needs no event.
  absl::Status OnPush(const dispatch::v1::DriveResponse& message, bool is_answer);
  absl::Status OnDisconnected(Disconnected event);

  /// The next event, if there is one; its push may then be acked.
  std::optional<Event> Take();
  /// The largest sequence that may be acked.
  std::uint64_t ack() const { return ack_; }
  std::uint64_t last_sequence() const { return last_sequence_; }
  /// The last Welcome.
  const std::optional<dispatch::v1::Welcome>& welcome() const { return welcome_; }
  const std::optional<dispatch::v1::Plan>& plan() const { return plan_; }

 private:
  /// Without an event, only the sequence is left to ack.
  struct Untaken {
    std::uint64_t sequence;
    std::optional<Event> event;
  };

  absl::Status Check(const dispatch::v1::Welcome& welcome) const;
  absl::Status CheckDriver(const std::string& what, const std::string& driver_id) const;
  absl::Status OnOffer(std::uint64_t sequence, const dispatch::v1::Offer& offer);
  absl::Status OnOfferEnded(std::uint64_t sequence, const dispatch::v1::OfferEnded& ended);
  absl::Status OnPlan(std::uint64_t sequence, const dispatch::v1::Plan& plan);
  absl::Status AddOfConnection(Event event);
  absl::Status Add(std::uint64_t sequence, std::optional<Event> event);
  template <typename... Kinds>
  void Forget();
  void AckSilent();
  bool HasEnded(const std::string& offer_id) const;

  std::optional<dispatch::v1::Welcome> welcome_;
  std::optional<dispatch::v1::Plan> plan_;
  std::string offer_id_;  // The open offer.
  std::uint64_t last_sequence_ = 0;
  std::uint64_t ack_ = 0;
  std::deque<Untaken> untaken_;
  std::deque<std::string> ended_offers_;  // The last ones, so that an end is reported once.
};

/// A Duration, or a Timestamp since 1970. Beyond 126 years it is that: nothing uses so long a time,
/// and the difference of two can still be counted.
template <typename Message>
std::chrono::nanoseconds ToNanoseconds(const Message& message) {
  constexpr std::int64_t kLongest = 4'000'000'000;
  return std::chrono::seconds(std::clamp<std::int64_t>(message.seconds(), -kLongest, kLongest)) +
         std::chrono::nanoseconds(message.nanos());
}

}  // namespace ridestream::client
