#include "services/dispatch/rpc/market_ports.h"

#include <utility>

#include "libs/tracing/process_tracer.h"
#include "services/dispatch/rpc/location_client.h"
#include "services/dispatch/rpc/market_meter.h"
#include "services/dispatch/rpc/ride_spans.h"
#include "services/dispatch/rpc/trip_client.h"

namespace ridestream::dispatch {

MarketRunner::Ports MakeMarketPorts(const std::string& market,
                                    trip::v1::TripService::StubInterface& trip,
                                    location::v1::LocationService::StubInterface& location,
                                    prometheus::Registry& metrics, const Clock& clock,
                                    Duration update_speeds_every,
                                    std::unique_ptr<roads::Streets> streets) {
  const tracing::Tracer* const tracer = tracing::ProcessTracer();
  const std::shared_ptr<roads::Streets> shared = std::move(streets);
  return {
      .trip = std::make_unique<TripClient>(trip, market),
      .location = std::make_unique<LocationClient>(location, market),
      .open_positions = PositionStreams(location, market),
      .observer = std::make_unique<MarketMeter>(metrics, market),
      .streets = shared,
      .speeds = update_speeds_every <= Duration::zero()
                    ? nullptr
                    : std::make_unique<SpeedKeeper>(clock, update_speeds_every, *shared, market),
      .rides = tracer == nullptr ? nullptr : std::make_unique<RideSpans>(*tracer, market)};
}

}  // namespace ridestream::dispatch
