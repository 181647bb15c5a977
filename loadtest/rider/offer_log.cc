#include "loadtest/rider/offer_log.h"

#include <utility>

#include "absl/status/status.h"

namespace ridestream::loadtest {

absl::StatusOr<std::unique_ptr<OfferLog>> OfferLog::Open(const std::string& path,
                                                         std::shared_ptr<const Clock> clock) {
  std::ofstream file(path);
  if (!(file << "due_us,offered_us\n").flush()) {
    return absl::PermissionDeniedError("--offers=" + path + ": can't be written");
  }
  return std::unique_ptr<OfferLog>(new OfferLog(std::move(file), std::move(clock)));
}

OfferLog::OfferLog(std::ofstream file, std::shared_ptr<const Clock> clock)
    : clock_(std::move(clock)), file_(std::move(file)) {}

void OfferLog::Add(Time due, Time offered) {
  using std::chrono::microseconds;
  const Time now = clock_->Now();
  const auto wall = std::chrono::floor<microseconds>(std::chrono::system_clock::now());
  const auto on_the_wall = [&](Time time) {
    const auto ago = std::chrono::floor<microseconds>(clock_->ToWall(now - time));
    return (wall - ago).time_since_epoch().count();
  };
  MutexLock lock(mu_);
  file_ << on_the_wall(due) << ',' << on_the_wall(offered) << '\n' << std::flush;
}

}  // namespace ridestream::loadtest
