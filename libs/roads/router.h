#pragma once

#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/roads/route.h"

namespace ridestream::roads {

/// Shortest travel times along the streets: the seam between those who ask and the engine that
/// knows. Places are snapped to the nearest street, and time counts from there; on a two-way street
/// a drive may start and end in either direction.
///
/// Implementations are thread-safe. Errors common to all: INVALID_ARGUMENT for coordinates that
/// don't exist, NOT_FOUND for a place too far from every street and for one that can't be reached;
/// each message names the places.
class Router {
 public:
  virtual ~Router() = default;

  /// The quickest way from `from` to `to`. Its first and last points are on the streets, so they
  /// differ from the places asked for by up to Snapper::kMaxDistanceM.
  virtual absl::StatusOr<Route> FindRoute(LatLng from, LatLng to) const = 0;

  /// The duration of that route, without the cost of writing it down.
  virtual absl::StatusOr<Duration> TravelTime(LatLng from, LatLng to) const = 0;

  /// The travel time from each of `from` to `to`, in the same order: many drivers to one pick-up.
  /// nullopt for those that take longer than `limit`, can't reach it, or are no places near a
  /// street; an error only for `to`, or a negative `limit`. The work is bounded by what can be
  /// reached within `limit`.
  virtual absl::StatusOr<std::vector<std::optional<Duration>>> TravelTimesTo(
      LatLng to, std::span<const LatLng> from, Duration limit) const = 0;
};

}  // namespace ridestream::roads
