#include "tests/sim/plain_city.h"

#include <cmath>

namespace ridestream::sim {
namespace {

constexpr LatLng kCentre{450'000'000, -300'000'000};
constexpr double kHalfWidthM = 700;
constexpr double kReachM = 50'000;
constexpr double kMetresPerSecond = 12;

std::uint32_t TravelMs(LatLng from, LatLng to) {
  return static_cast<std::uint32_t>(
      std::lround(FastDistanceM(from, to) / kMetresPerSecond * 1'000));
}

}  // namespace

LatLng PlainCity::Somewhere(loadtest::Random& random) {
  const double north_m = random.Between(-kHalfWidthM, kHalfWidthM);
  return OffsetBy(kCentre, north_m, random.Between(-kHalfWidthM, kHalfWidthM));
}

Duration PlainCity::TravelTime(LatLng from, LatLng to) {
  return std::chrono::milliseconds(TravelMs(from, to));
}

absl::StatusOr<dispatch::RouteFound::Way> PlainCity::WayThrough(LatLng from,
                                                                const std::vector<LatLng>& stops) {
  if (FastDistanceM(from, kCentre) > kReachM) {
    return absl::NotFoundError("the car is too far from every street");
  }
  dispatch::RouteFound::Way way;
  std::uint32_t so_far_ms = 0;
  double length_m = 0;
  way.route.add_lat_e7(from.lat_e7);
  way.route.add_lng_e7(from.lng_e7);
  for (const LatLng& stop : stops) {
    way.route.add_lat_e7(stop.lat_e7 - from.lat_e7);
    way.route.add_lng_e7(stop.lng_e7 - from.lng_e7);
    way.route.add_piece_ms(TravelMs(from, stop));
    so_far_ms += TravelMs(from, stop);
    length_m += FastDistanceM(from, stop);
    way.to_stop.push_back(std::chrono::milliseconds(so_far_ms));
    from = stop;
  }
  way.route.set_duration_ms(so_far_ms);
  way.route.set_length_m(static_cast<std::uint32_t>(std::lround(length_m)));
  return way;
}

loadtest::Course PlainCity::Draw(LatLng from, loadtest::Random& random) const {
  return To(from, Somewhere(random));
}

loadtest::Course PlainCity::To(LatLng from, LatLng to) const {
  return loadtest::Course({from, to}, {TravelMs(from, to)});
}

absl::StatusOr<trip::Way> PlainCity::FindWay(LatLng pickup, LatLng dropoff) const {
  return trip::Way{static_cast<std::uint32_t>(std::lround(FastDistanceM(pickup, dropoff))),
                   std::chrono::milliseconds(TravelMs(pickup, dropoff))};
}

dispatch::PlaceIndex PlainPlaces::Add(LatLng place) {
  places_.push_back(place);
  return static_cast<dispatch::PlaceIndex>(places_.size() - 1);
}

Duration PlainPlaces::Between(dispatch::PlaceIndex from, dispatch::PlaceIndex to) {
  return PlainCity::TravelTime(places_[from], places_[to]);
}

}  // namespace ridestream::sim
