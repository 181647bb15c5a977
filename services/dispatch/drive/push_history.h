#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "libs/base/clock.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::dispatch {

/// A driver's pushes, for GetDriver: the newest plan with its route, the open offer, and the last
/// pushes. Uses a few kilobytes. Not thread-safe; the owner must guard it.
class PushHistory {
 public:
  static constexpr std::size_t kMaxPushes = 10;

  void Record(const v1::DriveResponse& message, Time now);
  /// A stream was welcomed with this snapshot.
  void Restore(const v1::Snapshot& snapshot);
  /// Whether the driver has a stop to make or an offer to answer.
  bool HasWork() const { return offer_.has_value() || (plan_ && plan_->stops_size() > 0); }
  /// Sets plan, offer and pushes.
  void Describe(v1::GetDriverResponse& out) const;

 private:
  void RecordPlan(const v1::Plan& plan);

  std::optional<v1::Plan> plan_;
  std::optional<v1::Offer> offer_;
  std::deque<v1::PushRecord> pushes_;
};

}  // namespace ridestream::dispatch
