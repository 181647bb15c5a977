#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/roads/engine/route.h"
#include "libs/roads/snapping/snap.h"

namespace ridestream::roads {

class Router;

/// A place that an engine has prepared. Opaque.
struct PlaceLabels {
  virtual ~PlaceLabels() = default;
  const Router* router = nullptr;  ///< Whose they are.
};

/// A place on a street of which a Router knows already what it needs of it, so that the time
/// between two of them costs next to nothing. Cheap to copy, immutable, and safe to use from any
/// thread.
struct PreparedPlace {
  SnappedPoint point;
  std::shared_ptr<const PlaceLabels> labels;  ///< Of the router that prepared it; may be null.
};

/// Shortest travel times along the streets, by the turns that are allowed: the interface between
/// those who ask and the engine that knows. Time counts from where a place is snapped to a street;
/// on a two-way street a drive may start and end in either direction. All times are whole
/// milliseconds, and the same whichever engine finds them.
///
/// Who asks about a place once gives its coordinates; who asks often snaps it once (see snapper)
/// and gives the SnappedPoint; who asks about pairs of the same places prepares them once.
///
/// Implementations are thread-safe. The graph and the snapper must outlive them.
class Router {
 public:
  Router(const RoadGraph& graph, const Snapper& snapper) : graph_(graph), snapper_(snapper) {}
  virtual ~Router() = default;
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  const RoadGraph& graph() const { return graph_; }
  const Snapper& snapper() const { return snapper_; }

  // --- Between coordinates. Errors: INVALID_ARGUMENT for those that don't exist, NOT_FOUND for a
  // place too far from every street and for one that can't be reached; each message names the
  // places.

  /// The quickest way from `from`, a stop unless a car is under way there, to the stop `to`. Its
  /// first and last points are on the streets, so they differ from the places asked for by up to
  /// Snapper::kMaxDistanceM.
  absl::StatusOr<Route> FindRoute(LatLng from, LatLng to,
                                  StreetUse from_use = StreetUse::kStop) const;

  /// The duration of that route, without the cost of writing it down.
  absl::StatusOr<Duration> TravelTime(LatLng from, LatLng to,
                                      StreetUse from_use = StreetUse::kStop) const;

  /// The travel time from each of `from` to `to`, in the same order: many drivers to one pick-up.
  /// nullopt for those that take longer than `limit`, can't reach it, or are no places near a
  /// street; an error only for `to`, or a negative `limit`.
  absl::StatusOr<std::vector<std::optional<Duration>>> TravelTimesTo(LatLng to,
                                                                     std::span<const LatLng> from,
                                                                     Duration limit) const;

  // --- Between places on streets.

  /// The quickest way, nullopt if there is none.
  virtual std::optional<Route> RouteBetween(const SnappedPoint& from,
                                            const SnappedPoint& to) const = 0;

  /// The route's duration in milliseconds, kUnreachableMs without a route or beyond kMaxDriveMs.
  virtual std::uint32_t MsBetween(const SnappedPoint& from, const SnappedPoint& to) const = 0;

  /// Many to one: from each of `from` to `to`, in their order.
  virtual std::vector<std::uint32_t> MsTo(const SnappedPoint& to,
                                          std::span<const SnappedPoint> from) const = 0;

  /// One to many: from `from` to each of `to`, in their order.
  virtual std::vector<std::uint32_t> MsFrom(const SnappedPoint& from,
                                            std::span<const SnappedPoint> to) const = 0;

  /// Many to many: from from[i] to to[k] at i * to.size() + k.
  virtual std::vector<std::uint32_t> MsTable(std::span<const SnappedPoint> from,
                                             std::span<const SnappedPoint> to) const;

  // --- Between prepared places.

  /// About as costly as MsBetween. What it knows is of the speeds of this moment.
  virtual PreparedPlace Prepare(const SnappedPoint& point) const;

  /// As MsBetween, by the speeds that both were prepared with. Where they differ, or another router
  /// prepared them, both are prepared again by this call.
  virtual std::uint32_t MsBetween(const PreparedPlace& from, const PreparedPlace& to) const;

 private:
  const RoadGraph& graph_;
  const Snapper& snapper_;
};

}  // namespace ridestream::roads
