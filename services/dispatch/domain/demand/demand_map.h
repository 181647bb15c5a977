#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"

namespace ridestream::dispatch {

struct DemandConfig {
  /// Highest price where cars are missing, in percent of the tariff: 100 (there is no surge) to
  /// 1000.
  std::uint32_t surge_cap_percent = 200;
};

/// Demand over supply, by cell: recent requests around a place, compared with the cars that are
/// free there. From it come the surge, and where idle cars are missing.
///
/// A request counts in full when it comes, and fades within some minutes; who waits counts besides.
/// Half of each rider and car counts in its own cell of about a kilometre, the rest around it. The
/// surge follows that with a delay of a minute, in steps of 10 %, and is moved only when it is
/// off by most of a step: it neither jumps when one car comes, nor flickers.
///
/// Deterministic. Bounded by the cells of the market's area. Not thread-safe.
class DemandMap {
 public:
  /// S2's: cells of about a kilometre.
  static constexpr int kCellLevel = 13;
  /// In which a request fades to a third.
  static constexpr Duration kMemory = std::chrono::minutes(5);
  /// By which the surge is smoothed, likewise.
  static constexpr Duration kSmoothing = std::chrono::minutes(1);
  static constexpr std::uint32_t kStepPercent = 10;
  /// So many more riders than cars are a shortage: for one rider alone no car is moved.
  static constexpr double kShortage = 2;

  /// A cell in which cars are missing.
  struct Shortage {
    std::uint64_t cell = 0;
    /// A recent pick-up in the cell.
    LatLng place;
    /// How many more riders than cars; kShortage or more.
    double cars = 0;
  };

  explicit DemandMap(const DemandConfig& config) : config_(config) {}

  static std::uint64_t CellOf(LatLng place);

  /// A rider requested a trip at time `at`, which may be in the past.
  void Requested(LatLng pickup, Time at, Time now);
  /// Places of waiting riders and of free cars. Call every few seconds.
  void Survey(std::span<const LatLng> waiting, std::span<const LatLng> free_cars, Time now);

  // As of the last survey:

  /// By S2 cell, in percent; those above 100.
  const std::map<std::uint64_t, std::uint32_t>& surge() const { return surge_; }
  /// The worst first.
  std::vector<Shortage> Shortages() const;

 private:
  struct Cell {
    double requests = 0;  // faded
    LatLng last_pickup;   // of the newest request
    double demand = 0;    // of the last survey, as are the others
    double supply = 0;
    double smoothed = 100;  // percent
    std::uint32_t percent = 100;
  };
  void Fade(Time now);
  void MoveSurge(Cell& cell, double follow) const;

  const DemandConfig config_;
  Time faded_at_{};
  std::optional<Time> surveyed_at_;
  std::map<std::uint64_t, Cell> cells_;
  std::map<std::uint64_t, std::uint32_t> surge_;
};

}  // namespace ridestream::dispatch
