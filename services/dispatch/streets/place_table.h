#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/geo.h"
#include "libs/roads/engine/router.h"
#include "services/dispatch/matching/travel_times.h"

namespace ridestream::dispatch {

/// The places that a round of insertions is about, each snapped to its street once, and prepared
/// for exact travel times when one is asked for. What is used in a round is kept for the next,
/// since stops stay for minutes. A place off the streets can't be reached. Not thread-safe.
class PlaceTable {
 public:
  /// `router` must outlive it.
  explicit PlaceTable(const roads::Router& router);

  /// Forgets the indexes, and the places that weren't used since the last call.
  void BeginRound();
  /// A car under way, or a stop.
  PlaceIndex Add(LatLng place, roads::StreetUse use);

  /// Exact.
  TravelTimes& exact() { return exact_; }
  /// Never longer than the exact ones while no car is faster than the fastest street: in a straight
  /// line at its speed. Costs some nanoseconds.
  TravelTimes& optimistic() { return optimistic_; }

 private:
  struct Known {
    std::optional<roads::SnappedPoint> point;
    std::optional<roads::PreparedPlace> prepared;
    // Metres east and north of the streets' south-west corner, shrunk so that no distance is too
    // long.
    float x = 0, y = 0;
  };
  using Key = std::pair<std::uint64_t, roads::StreetUse>;

  class Exact final : public TravelTimes {
   public:
    explicit Exact(PlaceTable& table) : table_(table) {}
    Duration Between(PlaceIndex from, PlaceIndex to) override;

   private:
    PlaceTable& table_;
  };
  class Optimistic final : public TravelTimes {
   public:
    explicit Optimistic(PlaceTable& table) : table_(table) {}
    Duration Between(PlaceIndex from, PlaceIndex to) override;

   private:
    PlaceTable& table_;
  };

  Known Locate(LatLng place, roads::StreetUse use) const;
  const roads::PreparedPlace& Prepared(PlaceIndex place);

  const roads::Router& router_;
  /// Microseconds a metre on the fastest street.
  double us_per_m_ = 0;
  double m_per_lng_e7_ = 0;
  std::vector<Known> places_;
  std::vector<Key> keys_;
  absl::flat_hash_map<Key, PlaceIndex> index_;
  absl::flat_hash_map<Key, Known> kept_;
  Exact exact_{*this};
  Optimistic optimistic_{*this};
};

}  // namespace ridestream::dispatch
