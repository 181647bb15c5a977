// The load generator's CSV files: the same bytes as requests and as a fleet.

#include <cstdlib>

#include "loadtest/demand/demand.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream;
  static const fuzz::InputFile file;
  const std::string path = file.Write("input.csv", data, size);
  if (const auto demand = loadtest::ReplayDemand(path); demand.ok()) {
    while (const auto request = (*demand)->Next()) {
      if (!request->pickup.IsValid() || !request->dropoff.IsValid()) std::abort();
    }
  }
  if (const auto fleet = loadtest::ReadFleet(path, 1); fleet.ok()) {
    if (fleet->size() != 1 || !fleet->front().place.IsValid()) std::abort();
  }
  return 0;
}
