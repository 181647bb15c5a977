#include "tests/sim/trip_disk.h"

#include <utility>

namespace ridestream::sim {

TripDisk::TripDisk(RecordChecker& checker) : checker_(checker) { Reopen(); }

void TripDisk::Reopen() {
  store_ = std::make_unique<trip::MemoryTripStore>(
      clock_, [this](const std::vector<trip::EventPtr>& events) { events_ = events; });
}

absl::StatusOr<trip::TripPtr> TripDisk::Apply(const Committed& row) {
  clock_.Advance(row.at - clock_.Now());
  events_.clear();
  absl::StatusOr<trip::TripPtr> answer = trip::TripPtr();
  if (std::holds_alternative<trip::LeaseCommand>(row.row)) {
    (void)ApplyLease(row);
  } else if (const auto* quote = std::get_if<trip::Quote>(&row.row)) {
    store_->SaveQuote(*quote, [&](const absl::Status& status) {
      if (!status.ok()) answer = status;
    });
  } else {
    store_->Submit(std::get<trip::Command>(row.row),
                   [&](absl::StatusOr<trip::TripPtr> trip) { answer = std::move(trip); });
  }
  return answer;
}

absl::StatusOr<trip::LeaseAnswer> TripDisk::ApplyLease(const Committed& row) {
  clock_.Advance(row.at - clock_.Now());
  absl::StatusOr<trip::LeaseAnswer> answer = absl::UnknownError("not answered");
  store_->ChangeLease(std::get<trip::LeaseCommand>(row.row),
                      [&](absl::StatusOr<trip::LeaseAnswer> lease) { answer = std::move(lease); });
  return answer;
}

void TripDisk::Transact(trip::Batch& batch, Time now, bool is_rolled_back) {
  const std::size_t before = committed_.size();
  for (trip::Work& work : batch) {
    if (const auto* quote = std::get_if<trip::QuoteWork>(&work)) {
      committed_.push_back({quote->quote, now});
      (void)Apply(committed_.back());
      continue;
    }
    if (auto* lease = std::get_if<trip::LeaseWork>(&work)) {
      committed_.push_back({lease->command, now + lease_clock_off_});
      lease->answer = ApplyLease(committed_.back());
      const bool counts = !is_rolled_back && lease->answer.ok() && lease->answer->held;
      if (counts) checker_.OnLeaseHeld(lease->answer->lease);
      continue;
    }
    auto& trip = std::get<trip::TripWork>(work);
    committed_.push_back({trip.command, now});
    trip.outcome.answer = Apply(committed_.back());
    if (events_.empty()) continue;
    trip.outcome.event = events_.front();
    if (is_rolled_back) continue;
    checker_.OnDurable(*trip.outcome.event);
    if (const auto term = trip::TermOf(trip.command)) {
      checker_.OnChangedInTerm(*term, *trip.outcome.event);
    }
  }
  if (!is_rolled_back) return;
  committed_.resize(before);
  Reopen();
  for (const Committed& row : committed_) (void)Apply(row);
}

}  // namespace ridestream::sim
