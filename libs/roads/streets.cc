#include "libs/roads/streets.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "libs/base/text.h"
#include "libs/roads/city/city.h"
#include "libs/roads/engine/contraction_order.h"
#include "libs/roads/engine/prepared_file.h"
#include "libs/roads/map/osm_data.h"
#include "libs/roads/map/osm_file.h"
#include "libs/roads/map/road_graph_builder.h"

namespace ridestream::roads {
namespace {

constexpr std::string_view kCityPrefix = "city:";

std::optional<std::uint64_t> ParseSeed(std::string_view text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

/// Where the prepared graph of `spec` is kept: under the map's name, so that it is found again
/// after the map has changed, and is then rejected and replaced.
std::string PreparedPath(const StreetsOptions& options, const std::string& spec) {
  std::string name = std::filesystem::path(spec).filename().string();
  std::replace(name.begin(), name.end(), ':', '-');
  return (std::filesystem::path(options.cache_folder) / (name + ".prepared")).string();
}

}  // namespace

/// The order of contraction, and its origin.
struct Streets::Order {
  std::vector<NodeIndex> nodes;
  std::string preparation;
};

Streets::Streets(std::string name, RoadGraph graph, const RestrictionCounts& restrictions,
                 const LeftOut& left_out, Order order)
    : name_(std::move(name)),
      graph_(std::move(graph)),
      restrictions_(restrictions),
      left_out_(left_out),
      turns_(graph_),
      snapper_(graph_),
      router_(turns_, snapper_, order.nodes),
      map_matcher_(turns_, snapper_),
      preparation_(std::move(order.preparation)) {}

Streets::Order Streets::FindOrder(const std::string& spec, const RoadGraph& graph,
                                  const StreetsOptions& options) {
  const std::string path = options.cache_folder.empty() ? "" : PreparedPath(options, spec);
  std::string refused;
  if (!path.empty()) {
    auto kept = LoadPrepared(path, graph);
    if (kept.ok()) return {*std::move(kept), "read from " + path};
    if (!absl::IsNotFound(kept.status())) refused = ", as " + Message(kept.status());
  }
  const auto start = std::chrono::steady_clock::now();
  Order order{FindContractionOrder(graph), ""};
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  order.preparation = fmt::format("prepared in {:.2f} s{}", took.count(), refused);
  if (!path.empty()) {
    const absl::Status saved = SavePrepared(path, graph, order.nodes);
    order.preparation += saved.ok() ? ", kept in " + path : "; " + Message(saved);
  }
  return order;
}

absl::StatusOr<std::unique_ptr<Streets>> Streets::Load(const std::string& spec,
                                                       const StreetsOptions& options) {
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
  return Build(spec, std::move(name), std::move(builder), options);
}

absl::StatusOr<std::unique_ptr<Streets>> Streets::Build(std::string name,
                                                        RoadGraphBuilder builder) {
  const std::string spec = name;
  return Build(spec, std::move(name), std::move(builder), {});
}

absl::StatusOr<std::unique_ptr<Streets>> Streets::Build(const std::string& spec, std::string name,
                                                        RoadGraphBuilder builder,
                                                        const StreetsOptions& options) {
  RestrictionCounts restrictions;
  LeftOut left_out;
  absl::StatusOr<RoadGraph> graph = std::move(builder).Build(&restrictions, &left_out);
  if (!graph.ok()) {
    return absl::Status(graph.status().code(),
                        fmt::format("{}: {}", name, std::string(graph.status().message())));
  }
  Order order = FindOrder(spec, *graph, options);
  return absl::WrapUnique(
      new Streets(std::move(name), *std::move(graph), restrictions, left_out, std::move(order)));
}

std::string Streets::description() const {
  const std::string restrictions = Describe(restrictions_);
  const std::string left_out = Describe(left_out_);
  return fmt::format("{}: {} junctions, {} directed segments{}{}{}{}", name_,
                     Grouped(static_cast<long long>(graph_.junction_count())),
                     Grouped(static_cast<long long>(graph_.edge_count())),
                     restrictions.empty() ? "" : ", ", restrictions, left_out.empty() ? "" : "; ",
                     left_out);
}

}  // namespace ridestream::roads
