#include "libs/roads/streets.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "libs/roads/city.h"
#include "libs/roads/osm_data.h"
#include "libs/roads/osm_file.h"
#include "libs/roads/road_graph_builder.h"
#include "libs/roads/text.h"

namespace ridestream::roads {
namespace {

constexpr std::string_view kCityPrefix = "city:";

std::optional<std::uint64_t> ParseSeed(std::string_view text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

}  // namespace

Streets::Streets(std::string name, RoadGraph graph)
    : name_(std::move(name)),
      graph_(std::move(graph)),
      snapper_(graph_),
      router_(graph_, snapper_) {}

absl::StatusOr<std::unique_ptr<Streets>> Streets::Load(const std::string& spec) {
  RoadGraphBuilder builder;
  std::string name = spec;
  if (spec.starts_with(kCityPrefix)) {
    const auto seed = ParseSeed(std::string_view(spec).substr(kCityPrefix.size()));
    if (!seed) {
      return absl::InvalidArgumentError(fmt::format(
          "\"{}\" names no city: after \"{}\" comes its seed, a whole number of at most "
          "64 bits, as in city:1",
          spec, kCityPrefix));
    }
    AddTo(builder, MakeCity(*seed));
    name = fmt::format("built-in city of seed {}", *seed);
  } else if (const absl::Status read = ReadOsmFile(spec, builder); !read.ok()) {
    return read;
  }
  absl::StatusOr<RoadGraph> graph = std::move(builder).Build();
  if (!graph.ok()) {
    return absl::Status(graph.status().code(),
                        fmt::format("{}: {}", name, std::string(graph.status().message())));
  }
  return absl::WrapUnique(new Streets(std::move(name), *std::move(graph)));
}

std::string Streets::description() const {
  return fmt::format("{}: {} junctions, {} directed segments", name_,
                     Grouped(static_cast<long long>(graph_.junction_count())),
                     Grouped(static_cast<long long>(graph_.edge_count())));
}

}  // namespace ridestream::roads
