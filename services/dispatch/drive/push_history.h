#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "libs/base/clock.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

/// The pushes of a driver, for GetDriver: the newest plan with its route, the open offer, and the
/// last pushes. A few kilobytes. Not thread-safe: its owner guards it.
class PushHistory {
 public:
  static constexpr std::size_t kMaxPushes = 10;

  void Record(const v1::DriveResponse& message, Time now);
  /// A stream was welcomed with this.
  void Restore(const v1::Snapshot& snapshot);
  /// Whether the driver has a stop to make or an offer to answer.
  bool HasWork() const { return offer_.has_value() || (plan_ && plan_->stops_size() > 0); }
  /// Fills in plan, offer and pushes.
  void Describe(v1::GetDriverResponse& out) const;

 private:
  void TakePlan(const v1::Plan& plan);

  std::optional<v1::Plan> plan_;
  std::optional<v1::Offer> offer_;
  std::deque<v1::PushRecord> pushes_;
};

}  // namespace ridestream::dispatch
