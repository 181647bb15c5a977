#pragma once

#include <cstdint>

#include "libs/base/geo.h"

namespace ridestream::location {

/// A rectangle of latitudes and longitudes, edges included. It crosses the antimeridian if its
/// western edge has the larger longitude.
struct Area {
  LatLng south_west;
  LatLng north_east;

  /// False if the area has no extent, or if its southern edge lies north of its northern edge.
  bool HasExtent() const;
  bool Contains(LatLng place) const;
  bool Intersects(const Area& other) const;

 private:
  bool ContainsLng(std::int32_t lng_e7) const;
};

}  // namespace ridestream::location
