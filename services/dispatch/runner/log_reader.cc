#include "services/dispatch/runner/log_reader.h"

#include <utility>

namespace ridestream::dispatch {

trip::v1::FollowTripsRequest LogReader::NextRequest() const {
  trip::v1::FollowTripsRequest request;
  request.add_markets(market_);
  cursor_.FillIn(request);
  return request;
}

bool LogReader::Take(trip::v1::FollowTripsResponse& message) {
  if (message.has_caught_up()) {
    const std::uint64_t sequence = message.caught_up().sequence();
    if (leads_ && !events_.Post(LogCaughtUp{})) return false;
    cursor_.Took(sequence);
    if (leads_) on_caught_up_(sequence);
    return true;
  }
  const std::uint64_t sequence = message.event().sequence();
  if (!events_.Post(TripLogged{std::move(*message.mutable_event())})) return false;
  cursor_.Took(sequence);
  return true;
}

}  // namespace ridestream::dispatch
