#pragma once

#include "libs/base/geo.h"
#include "libs/roads/engine/router.h"
#include "libs/roads/graph/turn_graph.h"
#include "loadtest/base/random.h"
#include "loadtest/driver/course.h"

namespace ridestream::loadtest {

/// The courses of idle drivers. Implementations are thread-safe.
class Cruises {
 public:
  virtual ~Cruises() = default;
  /// A course that begins at `from`; empty if there is none.
  virtual Course Draw(LatLng from, Random& random) const = 0;
  /// The course from one place to another; empty if there is none.
  virtual Course To(LatLng from, LatLng to) const = 0;
};

/// Cruises along random streets for about a minute, with turn restrictions, turning back only in
/// dead ends; drives to a place by the fastest route. Router and turns, of the same graph, must
/// outlive it.
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
