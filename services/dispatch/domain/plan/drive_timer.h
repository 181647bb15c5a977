#pragma once

#include <optional>

#include "libs/base/clock.h"

namespace ridestream::dispatch {

/// Takes the time that a car needs for stretches of its route of a minute or more, while it drives:
/// a stretch neither begins nor ends where the car stands, as at a stop. (Where traffic stands, it
/// goes on.) Not thread-safe.
class DriveTimer {
 public:
  /// A stretch is at least so long, in the route's time: then a position's noise is a few percent.
  static constexpr Duration kStretch = std::chrono::minutes(1);
  /// Longest gap between positions; after a longer one, the car may have done anything.
  static constexpr Duration kGap = std::chrono::seconds(30);
  /// A stretch that takes longer is given up: the car is parked.
  static constexpr Duration kLongest = std::chrono::minutes(10);

  struct Stretch {
    /// A part of the route's time, from its start.
    Duration from{};
    Duration to{};
    Duration took{};
  };

  /// The car has so much of its route behind it now, which never gets less. The stretch that ended
  /// with the position before this one, if one did.
  std::optional<Stretch> Moved(Duration behind, Time now);
  /// The car was at a stop, or its route isn't what it drives.
  void Restart() { last_.reset(), start_.reset(); }

 private:
  struct Mark {
    Duration behind;
    Time at;
  };
  std::optional<Mark> last_;
  std::optional<Mark> start_;
};

}  // namespace ridestream::dispatch
