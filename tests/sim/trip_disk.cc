#include "tests/sim/trip_disk.h"

#include <utility>

namespace ridestream::sim {

TripDisk::TripDisk(RecordChecker& checker) : checker_(checker) { Reopen(); }

void TripDisk::Reopen() {
  store_ = std::make_unique<trip::MemoryTripStore>(
      clock_, [this](const std::vector<trip::EventPtr>& events) {
        unsynced_events_.insert(unsynced_events_.end(), events.begin(), events.end());
      });
}

TripDisk::Answer TripDisk::Apply(const Written& written) {
  clock_.Advance(written.at - clock_.Now());
  Answer answer = trip::TripPtr();
  if (const auto* quote = std::get_if<trip::Quote>(&written.row)) {
    store_->SaveQuote(*quote, [&](const absl::Status& status) {
      if (!status.ok()) answer = status;
    });
  } else {
    store_->Submit(std::get<trip::Command>(written.row),
                   [&](Answer submitted) { answer = std::move(submitted); });
  }
  return answer;
}

TripDisk::Answer TripDisk::Write(const Row& row, Time now) {
  written_.push_back({row, now});
  return Apply(written_.back());
}

std::vector<trip::EventPtr> TripDisk::Sync() {
  synced_ = written_.size();
  for (const trip::EventPtr& event : unsynced_events_) checker_.OnDurable(*event);
  return std::exchange(unsynced_events_, {});
}

std::size_t TripDisk::Crash() {
  const std::size_t lost = written_.size() - synced_;
  if (lost == 0) return 0;
  written_.resize(synced_);
  Reopen();
  for (const Written& written : written_) (void)Apply(written);
  unsynced_events_.clear();
  return lost;
}

}  // namespace ridestream::sim
