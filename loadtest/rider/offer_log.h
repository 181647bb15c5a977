#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"

namespace ridestream::loadtest {

/// A file with a line for each request that was offered: `due_us,offered_us`, when it was due and
/// when its first offer reached a driver, in Unix microseconds of wall time. Each line is written
/// as soon as it is known, so that other processes can follow. Thread-safe.
class OfferLog {
 public:
  /// PERMISSION_DENIED if the file can't be written.
  static absl::StatusOr<std::unique_ptr<OfferLog>> Open(const std::string& path,
                                                        std::shared_ptr<const Clock> clock);
  /// By the city's clock.
  void Add(Time due, Time offered);

 private:
  OfferLog(std::ofstream file, std::shared_ptr<const Clock> clock);

  const std::shared_ptr<const Clock> clock_;
  Mutex mu_;
  std::ofstream file_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::loadtest
