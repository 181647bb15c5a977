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
  /// Maximum surge in percent of the tariff: 100 (no surge) to 1000.
  std::uint32_t surge_cap_percent = 200;
};

/// Demand relative to supply by cell: recent requests around a place, compared with the free cars
/// there. It determines the surge, and where idle cars are missing.
/// A request counts fully at first and decays within some minutes. Waiting riders count
/// additionally. Half of the weight of each rider and car counts in its own cell of about a
/// kilometre, the rest in the cells around it. The surge follows with a delay of a minute, in steps
/// of 10 %, and is adjusted only if it is off by most of a step, so it neither jumps because of one
/// car nor flickers.
/// Deterministic. Bounded by the cells of the market's area. Not thread-safe.
class DemandMap {
 public:
  /// S2 level with cells about a kilometre wide.
  static constexpr int kCellLevel = 13;
  /// Time in which a request's weight decays by a factor of e.
  static constexpr Duration kMemory = std::chrono::minutes(5);
  /// Time constant with which the surge is smoothed.
  static constexpr Duration kSmoothing = std::chrono::minutes(1);
  static constexpr std::uint32_t kStepPercent = 10;
  /// Surplus of riders over cars from which a cell has a shortage. A single rider moves no car.
  static constexpr double kShortage = 2;

  /// A cell in which cars are missing.
  struct Shortage {
    std::uint64_t cell = 0;
    /// A recent pick-up in the cell.
    LatLng place;
    /// Surplus of riders over cars, at least kShortage.
    double cars = 0;
  };

  explicit DemandMap(const DemandConfig& config) : config_(config) {}

  static std::uint64_t CellOf(LatLng place);

  /// A rider requested a trip at time `at`, which may be in the past.
  void Requested(LatLng pickup, Time at, Time now);
  /// Takes the places of waiting riders and of free cars. Call every few seconds.
  void Survey(std::span<const LatLng> waiting, std::span<const LatLng> free_cars, Time now);

  // Results of the last survey:

  /// Surge by S2 cell in percent, only values above 100.
  const std::map<std::uint64_t, std::uint32_t>& surge() const { return surge_; }
  /// Largest shortage first.
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
