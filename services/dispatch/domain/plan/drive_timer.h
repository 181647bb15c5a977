#pragma once

#include <optional>

#include "libs/base/clock.h"

namespace ridestream::dispatch {

/// Measures how long a car takes for stretches of its route of a minute or more while it drives: a
/// stretch neither begins nor ends while the car stands at a stop. It continues while the car
/// stands in traffic. Not thread-safe.
class DriveTimer {
 public:
  /// Minimum length of a stretch, in the route's travel time. At this length the noise of positions
  /// is a few percent.
  static constexpr Duration kStretch = std::chrono::minutes(1);
  /// Longest gap between positions. A stretch with a longer one is dropped.
  static constexpr Duration kGap = std::chrono::seconds(30);
  /// A stretch that takes longer is dropped, since the car is parked.
  static constexpr Duration kLongest = std::chrono::minutes(10);

  struct Stretch {
    /// A part of the route, in travel time from its start.
    Duration from{};
    Duration to{};
    Duration took{};
  };

  /// Takes the travel time of the route that the car has completed, which never decreases. Returns
  /// the stretch that ended with the previous position, if one did.
  std::optional<Stretch> Moved(Duration behind, Time now);
  /// The car was at a stop, or left its route.
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
