#pragma once

#include "libs/base/geo.h"
#include "libs/roads/engine/router.h"
#include "libs/roads/graph/turn_graph.h"
#include "loadtest/base/random.h"
#include "loadtest/driver/course.h"

namespace ridestream::loadtest {

/// Where a driver goes who has nothing to do. Implementations are thread-safe.
class Cruises {
 public:
  virtual ~Cruises() = default;
  /// A way that begins at `from`; empty when there is none.
  virtual Course Draw(LatLng from, Random& random) const = 0;
  /// The way from one place to another; empty when there is none.
  virtual Course To(LatLng from, LatLng to) const = 0;
};

/// Along random streets for about a minute, by the turns that are allowed, turning back only in a
/// dead end; to a place by the fastest way. Router and turns, of one graph, must outlive it.
class StreetCruises final : public Cruises {
 public:
  StreetCruises(const roads::Router& router, const roads::TurnGraph& turns)
      : router_(router), turns_(turns) {}
  Course Draw(LatLng from, Random& random) const override;
  Course To(LatLng from, LatLng to) const override;

 private:
  const roads::Router& router_;
  const roads::TurnGraph& turns_;
};

}  // namespace ridestream::loadtest
