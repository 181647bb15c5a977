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

/// The places of a round of insertions. Each is snapped to its street once, and prepared for exact
/// travel times when the first one is requested. Places used in a round are kept for the next one,
/// since stops last for minutes. A place far from any street is unreachable. Not thread-safe.
class PlaceTable {
 public:
  /// `router` must outlive this object.
  explicit PlaceTable(const roads::Router& router);

  /// Starts a new round: indexes become invalid, and places that weren't used since the last call
  /// are dropped.
  void BeginRound();
  /// Adds a moving car, or a stop.
  PlaceIndex Add(LatLng place, roads::StreetUse use);

  /// Exact travel times along the streets.
  TravelTimes& exact() { return exact_; }
  /// Lower bounds of the exact times: straight lines at the speed of the fastest street. Takes some
  /// nanoseconds.
  TravelTimes& optimistic() { return optimistic_; }

 private:
  struct Known {
    std::optional<roads::SnappedPoint> point;
    std::optional<roads::PreparedPlace> prepared;
    // Metres east and north of the south-west corner of the street map, scaled down so that no
    // distance is overestimated.
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
  /// Microseconds per metre on the fastest street.
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
