#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"

namespace ridestream::location {

/// What a driver is doing, as far as finding one is concerned. Numbered as in location.proto.
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

/// One position as it comes in. Views its id: the hot path copies no string.
struct PositionReport {
  std::string_view driver_id;
  /// The newest position by (session_epoch, sequence) wins.
  std::uint64_t session_epoch = 0;
  std::uint64_t sequence = 0;
  /// How long ago it was received from the driver.
  Duration age{0};
  LatLng place;
  /// Clockwise from north, 0 to 359.
  std::uint32_t heading_deg = 0;
  DriverState state = DriverState::kIdle;
  /// 0 to kMaxFreeSeats.
  std::uint32_t free_seats = 0;
};

inline constexpr std::uint32_t kMaxFreeSeats = 255;

/// What became of the positions of a batch.
struct ApplyCounts {
  /// Are now what the index holds.
  std::uint64_t applied = 0;
  /// Were older than what the index holds, or as old.
  std::uint64_t superseded = 0;
  /// Can't be used, or found no room.
  std::uint64_t rejected = 0;

  ApplyCounts& operator+=(const ApplyCounts& other) {
    applied += other.applied;
    superseded += other.superseded;
    rejected += other.rejected;
    return *this;
  }
  friend bool operator==(const ApplyCounts&, const ApplyCounts&) = default;
};

/// The question for the drivers nearest to a place.
struct NearestQuery {
  LatLng center;
  /// A driver exactly that far is in.
  double radius_m = 0;
  std::uint32_t limit = 0;
  std::uint32_t min_free_seats = 0;
  StateSet states = StateSet::All();
};

/// A driver as an answer shows it.
struct NearbyDriver {
  DriverId id;
  LatLng place;
  /// Great-circle distance to the query's center; 0 where there is none.
  double distance_m = 0;
  Duration age{0};
  DriverState state = DriverState::kIdle;
  std::uint32_t free_seats = 0;
  std::uint32_t heading_deg = 0;
};

using NearbyDrivers = std::vector<NearbyDriver>;

}  // namespace ridestream::location
