// OpenStreetMap extracts, as XML if the bytes begin like it, else as PBF: parsed, built into a road
// graph, and queried for a route.

#include <cstdlib>

#include "libs/roads/streets.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream;
  static const fuzz::InputFile file;
  const bool is_xml = size > 0 && data[0] == '<';
  const std::string path = file.Write(is_xml ? "map.osm" : "map.osm.pbf", data, size);
  const auto streets = roads::Streets::Load(path);
  if (!streets.ok()) return 0;
  const roads::BoundingBox& bounds = (*streets)->graph().bounds();
  if (!bounds.south_west.IsValid() || !bounds.north_east.IsValid()) std::abort();
  // Whether there is one is the map's affair.
  (void)(*streets)->router().FindRoute(bounds.south_west, bounds.north_east);
  return 0;
}
