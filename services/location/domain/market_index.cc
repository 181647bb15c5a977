#include "services/location/domain/market_index.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/string_view.h"
#include "libs/base/invariant.h"
#include "libs/base/validation.h"

namespace ridestream::location {
namespace {

// Apply checks for stale drivers in twice as many slots as it has positions, plus this number.
constexpr size_t kMinSlotsToLookAt = 64;

bool IsInRange(const PositionReport& report) {
  return report.age >= Duration::zero() && report.place.IsValid() && report.heading_deg < 360 &&
         report.free_seats <= kMaxFreeSeats && report.state >= DriverState::kIdle &&
         report.state <= DriverState::kOffline;
}

bool LooksTheSame(const MarketIndex::Record& record, const PositionReport& report) {
  return record.place == report.place && record.heading_deg == report.heading_deg &&
         record.state == report.state && record.free_seats == report.free_seats;
}

}  // namespace

MarketIndex::MarketIndex(const IndexOptions& options)
    : options_(options), grid_(options.cell_level) {}

ApplyCounts MarketIndex::Apply(std::span<const PositionReport> reports, Time now) {
  ForgetStale(kMinSlotsToLookAt + 2 * reports.size(), now);
  ApplyCounts counts;
  for (const PositionReport& report : reports) {
    switch (ApplyOne(report, now)) {
      case Outcome::kApplied:
        ++counts.applied;
        break;
      case Outcome::kSuperseded:
        ++counts.superseded;
        break;
      case Outcome::kRejected:
        ++counts.rejected;
        break;
    }
  }
  return counts;
}

MarketIndex::Outcome MarketIndex::ApplyOne(const PositionReport& report, Time now) {
  if (!IsInRange(report)) return Outcome::kRejected;
  const absl::string_view id(report.driver_id.data(), report.driver_id.size());
  auto found = slots_.find(id);
  const bool is_new = found == slots_.end();
  if (is_new) {
    // Ids in the index were validated when they first arrived.
    if (slots_.size() >= options_.max_drivers_per_market || !IsId(report.driver_id)) {
      return Outcome::kRejected;
    }
    found = slots_.try_emplace(std::string(report.driver_id), TakeSlot()).first;
  }
  const std::uint32_t slot = found->second;
  Record& record = records_[slot];
  if (is_new) {
    record.id = &found->first;
  } else if (std::tie(report.session_epoch, report.sequence) <=
             std::tie(record.session_epoch, record.sequence)) {
    return Outcome::kSuperseded;
  }
  if (is_new || !LooksTheSame(record, report)) record.revision = ++last_revision_;
  record.session_epoch = report.session_epoch;
  record.sequence = report.sequence;
  record.received_at = now - report.age;
  record.place = report.place;
  record.heading_deg = report.heading_deg;
  record.state = report.state;
  record.free_seats = static_cast<std::uint8_t>(report.free_seats);
  if (record.state == DriverState::kOffline) {
    grid_.Remove(slot);
  } else {
    grid_.Place(slot, record.place, record.state, record.free_seats);
  }
  return Outcome::kApplied;
}

std::uint32_t MarketIndex::TakeSlot() {
  if (free_slots_.empty()) {
    records_.emplace_back();
    return static_cast<std::uint32_t>(records_.size() - 1);
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void MarketIndex::ForgetStale(size_t slots_to_look_at, Time now) {
  for (size_t n = std::min(slots_to_look_at, records_.size()); n > 0; --n) {
    if (next_to_look_at_ >= records_.size()) next_to_look_at_ = 0;
    const Record& record = records_[next_to_look_at_];
    if (record.id != nullptr && !IsFresh(record, now)) {
      Forget(static_cast<std::uint32_t>(next_to_look_at_));
    }
    ++next_to_look_at_;
  }
}

void MarketIndex::Forget(std::uint32_t slot) {
  grid_.Remove(slot);
  const auto found = slots_.find(*records_[slot].id);
  if (RIDESTREAM_INVARIANT(found != slots_.end(), "a record has a slot under its driver's id")) {
    slots_.erase(found);
  }
  records_[slot] = Record();
  free_slots_.push_back(slot);
}

}  // namespace ridestream::location
