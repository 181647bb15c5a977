// A prepared graph's file. The target fixes the checksum, which no fuzzer would guess, and an
// accepted file must produce a hierarchy.

#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "libs/roads/engine/hierarchy.h"
#include "libs/roads/engine/prepared_file.h"
#include "libs/roads/graph/turn_graph.h"
#include "libs/roads/testing/test_map.h"
#include "tests/fuzz/input_file.h"

namespace ridestream::roads {
namespace {

RoadGraph MakeGraph() {
  TestMap map;
  const auto a = map.AddNode(0, 0);
  const auto b = map.AddNode(1'000, 0);
  const auto c = map.AddNode(1'000, 500);
  const auto d = map.AddNode(0, 500);
  map.AddStreet({a, b, c, d, a});
  map.AddStreet({c, map.AddNode(2'000, 500), map.AddNode(2'000, 0), b});
  return *map.Build();
}

std::vector<std::uint8_t> WithChecksum(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  std::uint32_t checksum;
  if (size >= sizeof(checksum)) {
    const std::size_t checked = size - sizeof(checksum);
    checksum = static_cast<std::uint32_t>(crc32_z(0, bytes.data(), checked));
    std::memcpy(bytes.data() + checked, &checksum, sizeof(checksum));
  }
  return bytes;
}

}  // namespace
}  // namespace ridestream::roads

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream;
  static const roads::RoadGraph graph = roads::MakeGraph();
  static const roads::TurnGraph turns(graph);
  static const fuzz::InputFile file;
  const auto bytes = roads::WithChecksum(data, size);
  const auto order =
      roads::LoadPrepared(file.Write("graph.prepared", bytes.data(), bytes.size()), graph);
  if (!order.ok()) return 0;
  const roads::Hierarchy hierarchy(turns, *order);
  if (hierarchy.node_count() != turns.state_count()) std::abort();
  return 0;
}
