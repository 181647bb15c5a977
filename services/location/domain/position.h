#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"

namespace ridestream::location {

/// A driver's state as far as searches are concerned. The numbers are those of location.proto.
enum class DriverState : std::uint8_t {
  kIdle = 1,
  kOffered = 2,
  kEnRoute = 3,
  kOccupied = 4,
  kOffline = 5,
};

/// A set of states.
class StateSet {
 public:
  static constexpr StateSet All() { return StateSet(0xFF); }
  constexpr StateSet() = default;
  constexpr void Add(DriverState state) { bits_ |= 1u << static_cast<unsigned>(state); }
  constexpr bool Has(DriverState state) const {
    return (bits_ >> static_cast<unsigned>(state) & 1u) != 0;
  }

 private:
  explicit constexpr StateSet(unsigned bits) : bits_(bits) {}
  unsigned bits_ = 0;
};

/// A reported position. The id is a view, so that the hot path copies no string.
struct PositionReport {
  std::string_view driver_id;
  /// The position with the largest (session_epoch, sequence) wins.
  std::uint64_t session_epoch = 0;
  std::uint64_t sequence = 0;
  /// Time since dispatch received the position from the driver.
  Duration age{0};
  LatLng place;
  /// Clockwise from north, 0 to 359.
  std::uint32_t heading_deg = 0;
  DriverState state = DriverState::kIdle;
  /// 0 to kMaxFreeSeats.
  std::uint32_t free_seats = 0;
};

inline constexpr std::uint32_t kMaxFreeSeats = 255;

/// Outcomes of the positions in a batch.
struct ApplyCounts {
  /// Stored in the index.
  std::uint64_t applied = 0;
  /// Not newer than the driver's position in the index.
  std::uint64_t superseded = 0;
  /// Invalid, or beyond the limits on drivers or markets.
  std::uint64_t rejected = 0;

  ApplyCounts& operator+=(const ApplyCounts& other) {
    applied += other.applied;
    superseded += other.superseded;
    rejected += other.rejected;
    return *this;
  }
  friend bool operator==(const ApplyCounts&, const ApplyCounts&) = default;
};

/// A query for the drivers nearest to a place.
struct NearestQuery {
  LatLng center;
  /// Inclusive.
  double radius_m = 0;
  std::uint32_t limit = 0;
  std::uint32_t min_free_seats = 0;
  StateSet states = StateSet::All();
};

/// A driver in an answer.
struct NearbyDriver {
  DriverId id;
  LatLng place;
  /// Great-circle distance to the query's center; 0 if the query has no center.
  double distance_m = 0;
  Duration age{0};
  DriverState state = DriverState::kIdle;
  std::uint32_t free_seats = 0;
  std::uint32_t heading_deg = 0;
};

using NearbyDrivers = std::vector<NearbyDriver>;

}  // namespace ridestream::location
