#pragma once

#include <memory>
#include <string>

#include "libs/base/clock.h"
#include "libs/roads/streets.h"
#include "prometheus/registry.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "services/dispatch/runner/market_runner.h"

namespace ridestream::dispatch {

/// A market's real ports: the trip and location services over gRPC, measured in `metrics`, and a
/// street map whose travel times are updated from the cars' speeds every `update_speeds_every` of
/// the clock, 0 for never. The references must outlive the market.
MarketRunner::Ports MakeMarketPorts(const std::string& market,
                                    trip::v1::TripService::StubInterface& trip,
                                    location::v1::LocationService::StubInterface& location,
                                    prometheus::Registry& metrics, const Clock& clock,
                                    Duration update_speeds_every,
                                    std::unique_ptr<roads::Streets> streets);

}  // namespace ridestream::dispatch
