#pragma once

#include <string>

#include "absl/status/status.h"
#include "libs/roads/map/osm_data.h"
#include "libs/roads/map/road_graph_builder.h"

namespace ridestream::roads {

/// Passes the ways, relations and positions of an OpenStreetMap file to `builder`. The name
/// determines the format: .osm.pbf, .osm, .osm.gz or .osm.bz2, where the latter two may have
/// several compressed streams. Elements may be in any order, because the file is read twice.
///
/// Deleted objects are skipped. A history or change file is INVALID_ARGUMENT, and the message says
/// how to convert it to a map.
///
/// NOT_FOUND or PERMISSION_DENIED if the file can't be opened, INVALID_ARGUMENT for a name without
/// a format, DATA_LOSS if it is damaged; `builder` must not be used after an error.
absl::Status ReadOsmFile(const std::string& path, RoadGraphBuilder& builder);

/// Writes a map to a new file, in the format that its name determines. For maps that other tools
/// display, and for tests.
absl::Status WriteOsmFile(const OsmData& map, const std::string& path);

}  // namespace ridestream::roads
