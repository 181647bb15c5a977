#include "services/dispatch/drive/push_history.h"

#include <utility>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {

void PushHistory::Record(const v1::DriveResponse& message, Time now) {
  v1::PushRecord record;
  switch (message.message_case()) {
    case v1::DriveResponse::kOffer:
      offer_ = message.offer();
      *record.mutable_offer() = message.offer();
      break;
    case v1::DriveResponse::kOfferEnded:
      if (offer_ && offer_->offer_id() == message.offer_ended().offer_id()) offer_.reset();
      *record.mutable_offer_ended() = message.offer_ended();
      break;
    case v1::DriveResponse::kPlan:
      RecordPlan(message.plan());
      *record.mutable_plan() = message.plan();
      record.mutable_plan()->clear_route();
      break;
    case v1::DriveResponse::kRejected:
      *record.mutable_rejected() = message.rejected();
      break;
    case v1::DriveResponse::kWaitingPlace:
      *record.mutable_waiting_place() = message.waiting_place();
      break;
    default:
      return;
  }
  *record.mutable_pushed_at() = ToProto(now);
  pushes_.push_back(std::move(record));
  if (pushes_.size() > kMaxPushes) pushes_.pop_front();
}

void PushHistory::Restore(const v1::Snapshot& snapshot) {
  offer_.reset();
  if (snapshot.has_offer()) offer_ = snapshot.offer();
  if (snapshot.has_plan()) {
    RecordPlan(snapshot.plan());
  } else {
    plan_.reset();
  }
}

void PushHistory::RecordPlan(const v1::Plan& plan) {
  v1::Plan newest = plan;
  const bool goes_on = plan_ && plan_->route_id() == plan.route_id();
  if (!newest.has_route() && newest.stops_size() > 0 && goes_on) {
    newest.mutable_route()->Swap(plan_->mutable_route());
  }
  plan_ = std::move(newest);
}

void PushHistory::Describe(v1::GetDriverResponse& out) const {
  if (plan_) *out.mutable_plan() = *plan_;
  if (offer_) *out.mutable_offer() = *offer_;
  for (const v1::PushRecord& push : pushes_) *out.add_pushes() = push;
}

}  // namespace ridestream::dispatch
