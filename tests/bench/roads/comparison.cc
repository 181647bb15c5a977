#include "tests/bench/roads/comparison.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/bench/roads/bench_tools.h"

namespace ridestream::roads {
namespace {

constexpr std::size_t kRoutes = 500;
constexpr std::size_t kTablesOfEachSize = 3;

nlohmann::json ToJson(LatLng place) { return {{"lat", place.lat()}, {"lon", place.lng()}}; }

nlohmann::json ToJson(std::span<const LatLng> places) {
  nlohmann::json all = nlohmann::json::array();
  for (const LatLng place : places) all.push_back(ToJson(place));
  return all;
}

/// Places drawn by Places are near a street, so each of them has one.
std::vector<SnappedPoint> SnapAll(const Streets& streets, std::span<const LatLng> places) {
  std::vector<SnappedPoint> points;
  points.reserve(places.size());
  for (const auto& point : streets.snapper().NearestOfEach(places)) points.push_back(point.value());
  return points;
}

nlohmann::json FindRoute(const Streets& streets, LatLng from, LatLng to) {
  const double start = ThreadMicros();
  const std::optional<Route> route = streets.router().RouteBetween(*streets.snapper().Nearest(from),
                                                                   *streets.snapper().Nearest(to));
  const double cpu_us = ThreadMicros() - start;
  nlohmann::json result = {{"from", ToJson(from)}, {"to", ToJson(to)}, {"cpu_us", cpu_us}};
  if (route) {
    result["s"] = std::chrono::duration<double>(route->duration).count();
    result["m"] = route->length_m;
  }
  return result;
}

nlohmann::json FindTable(const Streets& streets, std::span<const LatLng> sources,
                         std::span<const LatLng> targets) {
  const double start = ThreadMicros();
  const std::vector<SnappedPoint> from = SnapAll(streets, sources);
  const std::vector<SnappedPoint> to = SnapAll(streets, targets);
  const std::vector<std::uint32_t> ms =
      to.size() == 1 ? streets.router().MsTo(to.front(), from) : streets.router().MsTable(from, to);
  const double cpu_us = ThreadMicros() - start;
  nlohmann::json rows = nlohmann::json::array();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    nlohmann::json row = nlohmann::json::array();
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const std::uint32_t cell = ms[i * targets.size() + k];
      row.push_back(cell == kUnreachableMs ? nlohmann::json() : nlohmann::json(cell / 1e3));
    }
    rows.push_back(std::move(row));
  }
  return {{"name", fmt::format("{} x {}", sources.size(), targets.size())},
          {"sources", ToJson(sources)},
          {"targets", ToJson(targets)},
          {"cpu_us", cpu_us},
          {"s", std::move(rows)}};
}

}  // namespace

nlohmann::json RunForComparison(const Streets& streets, std::uint64_t seed) {
  Places places(streets, seed);
  nlohmann::json routes = nlohmann::json::array();
  const std::vector<LatLng> from = places.Draw(kRoutes);
  const std::vector<LatLng> to = places.Draw(kRoutes);
  for (std::size_t i = 0; i < kRoutes; ++i) routes.push_back(FindRoute(streets, from[i], to[i]));
  nlohmann::json tables = nlohmann::json::array();
  for (std::size_t i = 0; i < kTablesOfEachSize; ++i) {
    tables.push_back(FindTable(streets, places.Draw(1'000), places.Draw(1)));
    tables.push_back(FindTable(streets, places.Draw(20), places.Draw(200)));
  }
  return {{"routes", std::move(routes)}, {"tables", std::move(tables)}};
}

}  // namespace ridestream::roads
