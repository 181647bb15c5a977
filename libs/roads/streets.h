#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/roads/engine/hierarchy_router.h"
#include "libs/roads/engine/router.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/roads/graph/turn_graph.h"
#include "libs/roads/map/road_graph_builder.h"
#include "libs/roads/map/turn_restriction.h"
#include "libs/roads/snapping/map_matcher.h"
#include "libs/roads/snapping/snap.h"

namespace ridestream::roads {

struct StreetsOptions {
  /// The folder in which prepared graphs are cached between starts; "" disables the cache. A file
  /// that is rejected (see LoadPrepared) or can't be written isn't an error: the graph is then
  /// prepared again, see Streets::preparation.
  std::string cache_folder;
};

/// The streets of one market: the graph, the positions of places on it, and routes between places.
/// Thread-safe; only the speeds can change.
class Streets {
 public:
  /// Loads streets. `spec` is "city:SEED" for the built-in city with that seed (see city.h), or the
  /// path of an OpenStreetMap extract: .osm.pbf, .osm, .osm.gz or .osm.bz2.
  ///
  /// INVALID_ARGUMENT: an invalid seed, or a file name without a known format. NOT_FOUND or
  /// PERMISSION_DENIED: the file can't be opened. DATA_LOSS: the file is damaged.
  /// FAILED_PRECONDITION: it has no drivable street.
  static absl::StatusOr<std::unique_ptr<Streets>> Load(const std::string& spec,
                                                       const StreetsOptions& options = {});

  /// The streets that were added to `builder`; `name` is for people. FAILED_PRECONDITION if there
  /// is no drivable street.
  static absl::StatusOr<std::unique_ptr<Streets>> Build(std::string name, RoadGraphBuilder builder);

  const RoadGraph& graph() const { return graph_; }
  const TurnGraph& turns() const { return turns_; }
  const Snapper& snapper() const { return snapper_; }
  const Router& router() const { return router_; }
  const MapMatcher& map_matcher() const { return map_matcher_; }
  /// The router, for changing its speeds.
  HierarchyRouter& engine() { return router_; }

  /// Whether `place` is within the rectangle around the streets, or at most Snapper::kMaxDistanceM
  /// outside. False for invalid coordinates. A covered place may still be too far from every
  /// street.
  bool Covers(LatLng place) const {
    return graph_.bounds().Contains(place, Snapper::kMaxDistanceM);
  }

  /// Elements of the map that the graph leaves out.
  const LeftOut& left_out() const { return left_out_; }

  /// The map's turn restrictions, counted by outcome.
  const RestrictionCounts& restrictions() const { return restrictions_; }

  /// Description for people, e.g. "maps/monaco.osm.pbf: 1,024 junctions, 9,051 directed segments,
  /// 20 turn restrictions (left out: 3 of missing ways)".
  std::string description() const;

  /// How the routing engine was prepared, for people, e.g. "prepared in 1.21 s" or "prepared in
  /// 1.21 s, as roads/porto.osm.pbf.prepared: is damaged: …".
  const std::string& preparation() const { return preparation_; }

 private:
  struct Order;

  Streets(std::string name, RoadGraph graph, const RestrictionCounts& restrictions,
          const LeftOut& left_out, Order order);
  /// `spec` names the file in which the order is kept.
  static Order FindOrder(const std::string& spec, const RoadGraph& graph,
                         const StreetsOptions& options);
  static absl::StatusOr<std::unique_ptr<Streets>> Build(const std::string& spec, std::string name,
                                                        RoadGraphBuilder builder,
                                                        const StreetsOptions& options);

  const std::string name_;
  const RoadGraph graph_;
  const RestrictionCounts restrictions_;
  const LeftOut left_out_;
  const TurnGraph turns_;
  const Snapper snapper_;
  HierarchyRouter router_;
  const MapMatcher map_matcher_;
  const std::string preparation_;
};

}  // namespace ridestream::roads
