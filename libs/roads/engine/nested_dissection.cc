#include "libs/roads/engine/nested_dissection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "libs/roads/engine/unit_flow.h"

namespace ridestream::roads {
namespace {

struct Direction {
  double x;
  double y;
};

constexpr std::array<Direction, 4> kDirections = {{{1, 0}, {0, 1}, {1, 1}, {1, -1}}};
constexpr std::uint32_t kTerminalShare = 4;  // a quarter of the nodes at each end

/// The part of a region to which a node belongs.
enum class Part : std::uint8_t { kFirst, kSecond, kSeparator };

class Dissection {
 public:
  Dissection(const UndirectedGraph& streets, std::span<const LatLng> places)
      : streets_(streets), places_(places), position_(places.size()), order_(places.size()) {
    std::iota(order_.begin(), order_.end(), 0U);
  }

  std::vector<std::uint32_t> Run() && {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> regions;
    regions.emplace_back(0, static_cast<std::uint32_t>(order_.size()));
    while (!regions.empty()) {
      const auto [begin, end] = regions.back();
      regions.pop_back();
      if (end - begin <= 2) continue;
      Enter(begin, end);
      const auto [middle, separator] = Divide(begin, end);
      regions.emplace_back(begin, middle);
      regions.emplace_back(middle, separator);
    }
    return std::move(order_);
  }

 private:
  std::uint32_t size() const { return region_.node_count(); }

  /// Sets region_ to the streets between order_[begin] and order_[end - 1].
  void Enter(std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t i = begin; i < end; ++i) position_[order_[i]] = i;
    const auto local = [&](std::uint32_t node) {
      const bool inside =
          position_[node] >= begin && position_[node] < end && order_[position_[node]] == node;
      return inside ? position_[node] - begin : end;
    };
    region_.first.assign(1, 0);
    region_.heads.clear();
    for (std::uint32_t i = begin; i < end; ++i) {
      for (std::uint32_t a = streets_.first[order_[i]]; a < streets_.first[order_[i] + 1]; ++a) {
        const std::uint32_t head = local(streets_.heads[a]);
        if (head != end) region_.heads.push_back(head);
      }
      region_.first.push_back(static_cast<std::uint32_t>(region_.heads.size()));
    }
    FindReverses();
  }

  /// Pairs every arc with its reverse. Arcs from lower to higher nodes meet their reverses in
  /// ascending order of the lower node.
  void FindReverses() {
    region_.reverse.assign(region_.heads.size(), 0);
    for (std::uint32_t node = 0; node < size(); ++node) {
      for (std::uint32_t a = region_.first[node]; a < region_.first[node + 1]; ++a) {
        const std::uint32_t head = region_.heads[a];
        if (head < node) continue;
        std::uint32_t back = region_.first[head];
        while (region_.heads[back] != node) ++back;
        region_.reverse[a] = back;
        region_.reverse[back] = a;
      }
    }
  }

  /// Sorts the region into first part, second part and separator; returns where the latter two
  /// begin.
  std::pair<std::uint32_t, std::uint32_t> Divide(std::uint32_t begin, std::uint32_t end) {
    if (!FindIsland()) FindBestCut(begin);
    std::vector<std::uint32_t> sorted;
    sorted.reserve(end - begin);
    std::array<std::uint32_t, 3> starts{};
    for (const Part part : {Part::kFirst, Part::kSecond, Part::kSeparator}) {
      starts[static_cast<std::size_t>(part)] = begin + static_cast<std::uint32_t>(sorted.size());
      for (std::uint32_t i = 0; i < size(); ++i) {
        if (best_[i] == part) sorted.push_back(order_[begin + i]);
      }
    }
    std::copy(sorted.begin(), sorted.end(), order_.begin() + begin);
    return {starts[1], starts[2]};
  }

  /// Whether the region is disconnected; the first part is then the component of the first node.
  bool FindIsland() {
    best_.assign(size(), Part::kSecond);
    best_[0] = Part::kFirst;
    std::vector<std::uint32_t> reached{0};
    for (std::size_t i = 0; i < reached.size(); ++i) {
      for (std::uint32_t a = region_.first[reached[i]]; a < region_.first[reached[i] + 1]; ++a) {
        const std::uint32_t head = region_.heads[a];
        if (best_[head] == Part::kFirst) continue;
        best_[head] = Part::kFirst;
        reached.push_back(head);
      }
    }
    return reached.size() < size();
  }

  void FindBestCut(std::uint32_t begin) {
    constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t least = kNone;
    for (const Direction direction : kDirections) {
      ChooseTerminals(begin, direction);
      // A separator has at most as many nodes as its cut has edges, and rarely less than half.
      const std::uint32_t limit = least == kNone ? kNone - 1 : 2 * least;
      if (flow_.Cut(region_, roles_, limit) > limit) continue;
      const std::uint32_t nodes = FindSeparator();
      if (nodes >= least) continue;
      least = nodes;
      best_.swap(parts_);
    }
  }

  void ChooseTerminals(std::uint32_t begin, Direction direction) {
    const LatLng first = places_[order_[begin]];
    const double shrink = std::cos(first.lat() * std::numbers::pi / 180);
    along_.clear();
    for (std::uint32_t i = 0; i < size(); ++i) {
      const LatLng at = places_[order_[begin + i]];
      along_.emplace_back(direction.x * EastE7(first, at) * shrink + direction.y * at.lat_e7, i);
    }
    const std::uint32_t terminals = std::max(1U, size() / kTerminalShare);
    std::nth_element(along_.begin(), along_.begin() + terminals, along_.end());
    std::nth_element(along_.begin() + terminals, along_.end() - terminals, along_.end());
    roles_.assign(size(), UnitFlow::Role::kNone);
    for (std::uint32_t i = 0; i < terminals; ++i) {
      roles_[along_[i].second] = UnitFlow::Role::kSource;
      roles_[along_[size() - 1 - i].second] = UnitFlow::Role::kSink;
    }
  }

  /// Makes the separator the smaller side of the cut edges' ends, and returns its size.
  std::uint32_t FindSeparator() {
    std::array<std::vector<std::uint32_t>, 2> ends;
    parts_.resize(size());
    for (std::uint32_t node = 0; node < size(); ++node) {
      const bool side = flow_.IsOnSourceSide(node);
      parts_[node] = side ? Part::kFirst : Part::kSecond;
      for (std::uint32_t a = region_.first[node]; a < region_.first[node + 1]; ++a) {
        if (flow_.IsOnSourceSide(region_.heads[a]) == side) continue;
        ends[side ? 0 : 1].push_back(node);
        break;
      }
    }
    const auto& separator = ends[0].size() <= ends[1].size() ? ends[0] : ends[1];
    for (const std::uint32_t node : separator) parts_[node] = Part::kSeparator;
    return static_cast<std::uint32_t>(separator.size());
  }

  const UndirectedGraph& streets_;
  const std::span<const LatLng> places_;
  std::vector<std::uint32_t> position_;  // of each node in order_, current in the region
  std::vector<std::uint32_t> order_;     // all nodes, region by region

  // The graph of the current region; nodes count from its beginning.
  UndirectedGraph region_;
  UnitFlow flow_;
  std::vector<std::pair<double, std::uint32_t>> along_;
  std::vector<UnitFlow::Role> roles_;
  std::vector<Part> parts_;
  std::vector<Part> best_;
};

}  // namespace

std::vector<std::uint32_t> NestedDissection(const UndirectedGraph& streets,
                                            std::span<const LatLng> places) {
  return Dissection(streets, places).Run();
}

}  // namespace ridestream::roads
