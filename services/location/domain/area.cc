#include "services/location/domain/area.h"

namespace ridestream::location {
namespace {

constexpr std::int32_t kAntimeridianE7 = 1'800'000'000;

// The antimeridian is both -180 and 180 degrees.
std::int32_t AsWest(std::int32_t lng_e7) {
  return lng_e7 == kAntimeridianE7 ? -kAntimeridianE7 : lng_e7;
}

}  // namespace

bool Area::HasExtent() const {
  const bool whole_circle =
      south_west.lng_e7 == -kAntimeridianE7 && north_east.lng_e7 == kAntimeridianE7;
  return south_west.lat_e7 < north_east.lat_e7 &&
         (whole_circle || AsWest(south_west.lng_e7) != AsWest(north_east.lng_e7));
}

bool Area::ContainsLng(std::int32_t lng_e7) const {
  const auto between = [this](std::int32_t lng) {
    const bool after_west = lng >= south_west.lng_e7;
    const bool before_east = lng <= north_east.lng_e7;
    return south_west.lng_e7 <= north_east.lng_e7 ? after_west && before_east
                                                  : after_west || before_east;
  };
  if (lng_e7 == kAntimeridianE7 || lng_e7 == -kAntimeridianE7) {
    return between(kAntimeridianE7) || between(-kAntimeridianE7);
  }
  return between(lng_e7);
}

bool Area::Contains(LatLng place) const {
  return place.lat_e7 >= south_west.lat_e7 && place.lat_e7 <= north_east.lat_e7 &&
         ContainsLng(place.lng_e7);
}

bool Area::Intersects(const Area& other) const {
  if (south_west.lat_e7 > other.north_east.lat_e7 || other.south_west.lat_e7 > north_east.lat_e7) {
    return false;
  }
  // Two arcs of a circle meet when one of them begins in the other.
  return ContainsLng(other.south_west.lng_e7) || other.ContainsLng(south_west.lng_e7);
}

}  // namespace ridestream::location
