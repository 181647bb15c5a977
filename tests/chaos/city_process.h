#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"
#include "tests/chaos/gated_system.h"
#include "tests/chaos/recovery.h"

namespace ridestream::chaos {

/// The load generator as a separate process. Used by one thread.
class CityProcess {
 public:
  /// Called a few times a second while waiting; true ends the wait with CANCELLED.
  using Stopped = std::function<bool()>;

  /// The services' addresses, `dispatch` in any form that the load generator accepts; and the
  /// folder for the log and outputs.
  struct System {
    std::string trip, location, dispatch;
    std::string authority;
    std::string folder;
  };

  /// `flags` are passed to the load generator in addition to addresses and outputs.
  static absl::StatusOr<std::unique_ptr<CityProcess>> Start(const std::string& bin,
                                                            const System& system,
                                                            const std::vector<std::string>& flags);
  /// Through the system's gates.
  static absl::StatusOr<std::unique_ptr<CityProcess>> Start(const std::string& bin,
                                                            const GatedSystem& system,
                                                            const std::vector<std::string>& flags);

  /// Waits until a request that came due at `since` or later was offered to a driver. UNAVAILABLE
  /// if the process ended, DEADLINE_EXCEEDED after `timeout`.
  absl::Status AwaitOffer(WallTime since, std::chrono::seconds timeout, const Stopped& stopped);
  /// Like AwaitOffer. Returns how long after `since` the first such request was offered, i.e. when
  /// the whole path from the rider through trip and dispatch to the driver worked again.
  absl::StatusOr<RecoveryTime> AwaitRecovery(WallTime since, std::chrono::seconds timeout,
                                             const Stopped& stopped);
  /// Waits for the process's end, and passes `stopped` on to it once. DATA_LOSS if the audit isn't
  /// clean.
  absl::Status AwaitEnd(const Stopped& stopped);
  void Stop();
  bool HasEnded() const { return process_->HasEnded(); }

  absl::StatusOr<std::vector<FirstOffer>> Offers() const { return ReadOffers(offers_path_); }
  /// The report that it wrote at its end.
  absl::StatusOr<nlohmann::ordered_json> Report() const;
  /// Why it ended, for messages.
  std::string LogEnd() const { return process_->LogEnd(); }

 private:
  CityProcess(std::unique_ptr<process::ChildProcess> process, const std::string& folder);

  const std::unique_ptr<process::ChildProcess> process_;
  const std::string offers_path_;
  const std::string report_path_;
};

}  // namespace ridestream::chaos
