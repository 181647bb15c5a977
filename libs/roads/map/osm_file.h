#pragma once

#include <string>

#include "absl/status/status.h"
#include "libs/roads/map/osm_data.h"
#include "libs/roads/map/road_graph_builder.h"

namespace ridestream::roads {

/// Hands the ways, relations and positions of an OpenStreetMap file to `builder`. The name tells
/// the format: .osm.pbf, .osm, .osm.gz, .osm.bz2, the latter of one compressed stream or several.
/// They may come in any order: it is read twice.
///
/// Deleted objects are passed over. A history or change file is INVALID_ARGUMENT, and the message
/// says how to make a map of it.
///
/// NOT_FOUND or PERMISSION_DENIED if it can't be opened, INVALID_ARGUMENT for a name without a
/// format, DATA_LOSS if it is damaged; `builder` is then half filled and of no more use.
absl::Status ReadOsmFile(const std::string& path, RoadGraphBuilder& builder);

/// Writes a map to a file that doesn't exist yet, in the format that its name tells. For maps that
/// other tools shall show, and for tests.
absl::Status WriteOsmFile(const OsmData& map, const std::string& path);

}  // namespace ridestream::roads
