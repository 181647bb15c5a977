#pragma once

#include "libs/base/geo.h"
#include "libs/roads/road_graph.h"
#include "libs/roads/snap.h"
#include "loadtest/base/random.h"
#include "loadtest/driver/course.h"

namespace ridestream::loadtest {

/// Where a driver goes who has nothing to do. Implementations are thread-safe.
class Cruises {
 public:
  virtual ~Cruises() = default;
  /// A way that begins at `from`; empty when there is none.
  virtual Course Draw(LatLng from, Random& random) const = 0;
};

/// Along random streets for about a minute, turning back only in a dead end. Both arguments must
/// outlive it.
class StreetCruises final : public Cruises {
 public:
  StreetCruises(const roads::RoadGraph& graph, const roads::Snapper& snapper)
      : graph_(graph), snapper_(snapper) {}
  Course Draw(LatLng from, Random& random) const override;

 private:
  const roads::RoadGraph& graph_;
  const roads::Snapper& snapper_;
};

}  // namespace ridestream::loadtest
