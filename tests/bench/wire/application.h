#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::bench::wire {

using dispatch::v1::Ack;
using dispatch::v1::DriveResponse;
using dispatch::v1::Position;
using trip::v1::QuoteTripRequest;
using trip::v1::QuoteTripResponse;

/// Positions that a driver sends on a stream before it waits for an ack.
inline constexpr int kWindow = 100;

/// The application behind every protocol's server, as small as possible. Thread-safe.
class Application {
 public:
  /// Zero: an offer is always due.
  explicit Application(std::chrono::microseconds offer_every);

  Ack TakePosition(const Position& position);
  QuoteTripResponse Quote(const QuoteTripRequest& request) const;

  /// Makes an offer that is decided now.
  static DriveResponse MakeOffer(std::uint64_t sequence);
  /// The newest offer due by now, with the time at which it was due. If none is due after the ack,
  /// a response without an offer and with sequence 0.
  DriveResponse PollOffer(const Ack& ack) const;
  /// The pause between two offers of a subscription.
  std::chrono::microseconds offer_every() const { return offer_every_; }

 private:
  const std::chrono::microseconds offer_every_;
  const std::chrono::system_clock::time_point start_;
  std::atomic<std::uint64_t> newest_position_ = 0;
};

/// The messages that clients send, with values of a usual length.
Position SamplePosition(std::uint64_t sequence);
QuoteTripRequest SampleQuoteRequest();

}  // namespace ridestream::bench::wire
