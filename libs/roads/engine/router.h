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

/// A place on a street with everything that a Router precomputes for it, so that the time between
/// two prepared places costs next to nothing. Cheap to copy, immutable, and safe to use from any
/// thread.
struct PreparedPlace {
  SnappedPoint point;
  std::shared_ptr<const PlaceLabels> labels;  ///< Of the router that prepared it; may be null.
};

/// Shortest travel times along the streets, with turn restrictions: the interface of the routing
/// engines. A drive starts and ends where its places are snapped to streets; on a two-way street it
/// may start and end in either direction. All times are whole milliseconds, and the same with every
/// engine.
///
/// There are three levels of calls: by coordinates, for places that are used once; by SnappedPoint
/// (see snapper), for places that are used often; and by PreparedPlace, for many pairs of the same
/// places.
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

  // --- Between coordinates. Errors: INVALID_ARGUMENT for invalid coordinates, NOT_FOUND for a
  // place too far from every street or an unreachable one. Each message names the places.

  /// The fastest route from `from`, which is a stop unless a car is under way there, to the stop
  /// `to`. Its first and last points are on streets, so they differ from the given places by up to
  /// Snapper::kMaxDistanceM.
  absl::StatusOr<Route> FindRoute(LatLng from, LatLng to,
                                  StreetUse from_use = StreetUse::kStop) const;

  /// The duration of that route, without the cost of constructing it.
  absl::StatusOr<Duration> TravelTime(LatLng from, LatLng to,
                                      StreetUse from_use = StreetUse::kStop) const;

  /// The travel time from each of `from` to `to`, in the same order: many drivers to one pick-up.
  /// nullopt for places that need longer than `limit`, can't reach `to`, or are not near a street.
  /// Fails only for an invalid `to` or a negative `limit`.
  absl::StatusOr<std::vector<std::optional<Duration>>> TravelTimesTo(LatLng to,
                                                                     std::span<const LatLng> from,
                                                                     Duration limit) const;

  // --- Between places on streets.

  /// The fastest route; nullopt if there is none.
  virtual std::optional<Route> RouteBetween(const SnappedPoint& from,
                                            const SnappedPoint& to) const = 0;

  /// The route's duration in milliseconds, kUnreachableMs without a route or beyond kMaxDriveMs.
  virtual std::uint32_t MsBetween(const SnappedPoint& from, const SnappedPoint& to) const = 0;

  /// Many to one: from each of `from` to `to`, in order.
  virtual std::vector<std::uint32_t> MsTo(const SnappedPoint& to,
                                          std::span<const SnappedPoint> from) const = 0;

  /// One to many: from `from` to each of `to`, in order.
  virtual std::vector<std::uint32_t> MsFrom(const SnappedPoint& from,
                                            std::span<const SnappedPoint> to) const = 0;

  /// Many to many: the time from from[i] to to[k] is at i * to.size() + k.
  virtual std::vector<std::uint32_t> MsTable(std::span<const SnappedPoint> from,
                                             std::span<const SnappedPoint> to) const;

  // --- Between prepared places.

  /// Costs about as much as MsBetween. The result is for the speeds of this moment.
  virtual PreparedPlace Prepare(const SnappedPoint& point) const;

  /// Like MsBetween, by the speeds for which both places were prepared. If those differ, or another
  /// router prepared the places, this call prepares both again.
  virtual std::uint32_t MsBetween(const PreparedPlace& from, const PreparedPlace& to) const;

 private:
  const RoadGraph& graph_;
  const Snapper& snapper_;
};

}  // namespace ridestream::roads
