#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/recovery.h"

namespace ridestream::chaos {

/// The recovery times of events of one kind.
struct RecoveryTimes {
  std::size_t count = 0;
  std::chrono::duration<double> p50{}, max{};
  std::size_t never = 0;
};

/// The result of a run: its events and how long each took to recover.
class ChaosReport {
 public:
  /// `recoveries` is the result of Recoveries for these occurrences.
  ChaosReport(std::vector<Occurrence> occurrences,
              std::vector<std::optional<std::chrono::duration<double>>> recoveries);

  /// The times of all events, or of those with one deed.
  RecoveryTimes Of(std::optional<Deed> deed) const;
  /// A table by deed.
  std::string ToText() const;
  /// Adds `events` and `recovery_s` to the load generator's report.
  void AddTo(nlohmann::ordered_json& report) const;

 private:
  std::vector<Occurrence> occurrences_;
  std::vector<std::optional<std::chrono::duration<double>>> recoveries_;
};

}  // namespace ridestream::chaos
