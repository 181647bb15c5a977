#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/recovery.h"

namespace ridestream::chaos {

/// How long recovery took, of the events of one kind.
struct RecoveryTimes {
  std::size_t count = 0;
  std::chrono::duration<double> p50{}, max{};
  std::size_t never = 0;
};

/// What a run comes to: what was done, and how long each took to heal.
class ChaosReport {
 public:
  /// `recoveries` as Recoveries gave them for these occurrences.
  ChaosReport(std::vector<Occurrence> occurrences,
              std::vector<std::optional<std::chrono::duration<double>>> recoveries);

  /// The times of all events, or of those of one deed.
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
