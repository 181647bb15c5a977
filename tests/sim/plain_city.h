#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "loadtest/base/random.h"
#include "loadtest/driver/cruise.h"
#include "services/dispatch/domain/market_events.h"
#include "services/dispatch/matching/insertion.h"
#include "services/trip/domain/quote_router.h"

namespace ridestream::sim {

inline constexpr char kMarket[] = "plain";

/// A city in the plain: no streets, every way is straight and driven at one speed. It is as far as
/// a car comes in a few minutes, so that much happens in little time. Stateless.
class PlainCity final : public loadtest::Cruises, public trip::QuoteRouter {
 public:
  static LatLng Somewhere(loadtest::Random& random);

  static Duration TravelTime(LatLng from, LatLng to);
  /// Through all stops. NOT_FOUND for a car that is nowhere near the city.
  static absl::StatusOr<dispatch::RouteFound::Way> WayThrough(LatLng from,
                                                              const std::vector<LatLng>& stops);

  loadtest::Course Draw(LatLng from, loadtest::Random& random) const override;
  loadtest::Course To(LatLng from, LatLng to) const override;
  absl::StatusOr<trip::Way> FindWay(LatLng pickup, LatLng dropoff) const override;
};

/// Places of the plain, and how long the ways between them take. Not thread-safe.
class PlainPlaces final : public dispatch::TravelTimes {
 public:
  void Clear() { places_.clear(); }
  dispatch::PlaceIndex Add(LatLng place);
  Duration Between(dispatch::PlaceIndex from, dispatch::PlaceIndex to) override;

 private:
  std::vector<LatLng> places_;
};

}  // namespace ridestream::sim
