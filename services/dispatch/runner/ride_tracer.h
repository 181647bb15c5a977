#pragma once

#include <cstdint>
#include <string>

#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/drive/ack_listener.h"
#include "services/dispatch/runner/market_loop.h"

namespace ridestream::dispatch {

/// The port to the traces of rides: a market's events and decisions go in, and the contexts for the
/// calls that follow from them come out, each as a header `traceparent`. The market doesn't know of
/// it, so traces change no decision. OnRead, OnAck, TraceOf and TraceOfRound come from any thread.
class RideTracer : public MarketLoop::Observer, public AckListener {
 public:
  /// An event of the trip log was read, and goes to the market's queue.
  virtual void OnRead(const trip::v1::TripEvent& event) = 0;
  /// For a command about the trip; empty if its request wasn't traced.
  virtual std::string TraceOf(const std::string& trip_id) const = 0;
  /// For the search for the candidates of the round under way; empty if the round has no span.
  virtual std::string TraceOfRound(std::uint64_t round) const = 0;
};

}  // namespace ridestream::dispatch
