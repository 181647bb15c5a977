#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/geo.h"
#include "libs/roads/dijkstra_router.h"
#include "libs/roads/road_graph.h"
#include "libs/roads/router.h"
#include "libs/roads/snap.h"

namespace ridestream::roads {

/// The streets of one market: the graph, where a place lies on it, and the ways between places.
/// Immutable and thread-safe.
class Streets {
 public:
  /// Reads streets. `spec` is "city:SEED" for the built-in city of that seed (see city.h), else the
  /// path of an OpenStreetMap extract: .osm.pbf, .osm, .osm.gz or .osm.bz2.
  ///
  /// INVALID_ARGUMENT: no such seed, or a file name that tells no format. NOT_FOUND or
  /// PERMISSION_DENIED: the file can't be opened. DATA_LOSS: it is damaged. FAILED_PRECONDITION: it
  /// has no drivable street.
  static absl::StatusOr<std::unique_ptr<Streets>> Load(const std::string& spec);

  const RoadGraph& graph() const { return graph_; }
  const Snapper& snapper() const { return snapper_; }
  const Router& router() const { return router_; }

  /// Whether `place` is in the rectangle around the streets, or nearer to it than
  /// Snapper::kMaxDistanceM. False for coordinates that don't exist. A place that is covered may
  /// still be too far from every street.
  bool Covers(LatLng place) const {
    return graph_.bounds().Contains(place, Snapper::kMaxDistanceM);
  }

  /// For people, e.g. "maps/monaco.osm.pbf: 1,024 junctions, 9,051 directed segments".
  std::string description() const;

 private:
  Streets(std::string name, RoadGraph graph);

  const std::string name_;
  const RoadGraph graph_;
  const Snapper snapper_;
  const DijkstraRouter router_;
};

}  // namespace ridestream::roads
