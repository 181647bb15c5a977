#pragma once

#include <cstdint>

#include "libs/base/geo.h"

namespace ridestream::location {

/// A rectangle of latitudes and longitudes, its edges included. When west lies east of east, it
/// spans the antimeridian.
struct Area {
  LatLng south_west;
  LatLng north_east;

  /// False for an area without extent, or whose south lies above its north.
  bool HasExtent() const;
  bool Contains(LatLng place) const;
  bool Intersects(const Area& other) const;

 private:
  bool ContainsLng(std::int32_t lng_e7) const;
};

}  // namespace ridestream::location
