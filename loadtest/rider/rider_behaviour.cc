#include "loadtest/rider/rider_behaviour.h"

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "loadtest/auditor/trip_states.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::trip::v1;

namespace {

/// How long a rider waits before leaving a car whose driver is lost.
constexpr Duration kLeavesWithin = std::chrono::minutes(1);

}  // namespace

bool IsRetryable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:  // By a server that stopped; riders cancel no unary calls.
      return true;
    default:
      return false;
  }
}

RiderBehaviour::RiderBehaviour(Wish wish, const RiderHabits& habits, Random random)
    : wish_(std::move(wish)),
      habits_(habits),
      random_(random),
      // Draws nothing if nobody shares, so that such a city doesn't change.
      shares_(habits.share_probability > 0 && random_.Chance(habits.share_probability)) {
  history_.id = wish_.id;
  quote_.at = wish_.due;
}

void RiderBehaviour::OnTime(Time now, Actions& actions) {
  const auto start = [&](Call& call) {
    const bool started = call.Start(now);
    if (started && call.failures > 0) ++actions.retried;
    return started;
  };
  if (now >= patient_until_) {
    patient_until_ = Time::max();
    Cancel(pb::CANCEL_REASON_WAIT_TOO_LONG, now);
  }
  actions.quote |= start(quote_);
  actions.request |= start(request_);
  actions.watch |= start(watch_);
  if (start(cancel_)) {
    if (MayCancel()) {
      actions.cancel = reason_;
    } else {
      cancel_.running = false;
    }
  }
  if (start(change_)) {
    if (!IsEnded(state_)) {
      actions.change_destination = true;
      history_.fare_uncertain = true;
    } else {
      change_.running = false;
    }
  }
}

bool RiderBehaviour::Retry(Call& call, const absl::Status& status, Time now) {
  call.running = false;
  if (!IsRetryable(status)) return false;
  const int doublings = std::min(call.failures++, 10);
  const Duration longest =
      std::min(habits_.first_backoff * (1 << doublings), habits_.longest_backoff);
  call.at = now + random_.Between(longest / 2, longest);
  return true;
}

void RiderBehaviour::Refuse(const absl::Status& status) {
  if (IsRetryable(status)) {
    outcome_ = RiderOutcome::kUnanswered;
  } else {
    outcome_ = RiderOutcome::kRefused;
    history_.refusal = status.ToString();
  }
}

void RiderBehaviour::OnQuote(const absl::StatusOr<pb::QuoteTripResponse>& answer, Time now) {
  if (now < wish_.due + habits_.answer_within && Retry(quote_, answer.status(), now)) return;
  quote_.running = false;
  if (!answer.ok()) return Refuse(answer.status());
  quote_id_ = answer->quote_id();
  if (answer->has_promise()) history_.promise = answer->promise();
  history_.quoted_minor = history_.fare_minor = answer->fare().total().amount_minor();
  request_.at = now;
}

void RiderBehaviour::OnRequest(const absl::StatusOr<pb::Trip>& answer, Time now) {
  const bool again = !history_.trip_id.empty();
  if ((again || now < wish_.due + habits_.answer_within) && Retry(request_, answer.status(), now)) {
    return;
  }
  request_.running = false;
  if (!answer.ok()) {
    // A repeated request must get the same answer.
    if (again) ++history_.other_trip_answers;
    if (!again) Refuse(answer.status());
    return;
  }
  ++history_.answers;
  if (again) {
    if (history_.trip_id.str() != answer->trip_id()) ++history_.other_trip_answers;
    return;
  }
  history_.trip_id = TripId(answer->trip_id());
  OnTrip(*answer, now);
  watch_.at = now;
  patient_until_ = now + habits_.patience;
  if (random_.Chance(habits_.repeat_request_probability)) request_.at = now;
  if (random_.Chance(habits_.cancel_probability)) {
    cancel_.at = now + random_.Between(Duration::zero(), habits_.cancel_within);
  }
  if (random_.Chance(habits_.change_destination_probability) && !shares_) {
    change_.at = now + random_.Between(Duration::zero(), habits_.change_within);
  }
}

void RiderBehaviour::OnTrip(const pb::Trip& trip, Time now) {
  // Answers and the watch may arrive out of order.
  if (trip.version() <= version_) return;
  version_ = trip.version();
  state_ = trip.state();
  history_.Saw(state_);
  if (!waited_ && trip.has_arrived_at()) waited_ = FromProto(trip.arrived_at()) - wish_.due;
  if (state_ == pb::TRIP_STATE_ABOARD) patient_until_ = Time::max();
  const bool lost = state_ == pb::TRIP_STATE_ABOARD && trip.has_driver_lost_at();
  const bool leaves = lost && !driver_lost_;
  driver_lost_ = lost;
  if (leaves) {
    Cancel(pb::CANCEL_REASON_DRIVER_LOST, now + random_.Between(Duration::zero(), kLeavesWithin));
  }
  if (!IsEnded(state_)) return;
  outcome_ = state_ == pb::TRIP_STATE_COMPLETED   ? RiderOutcome::kCompleted
             : state_ == pb::TRIP_STATE_CANCELLED ? RiderOutcome::kCancelled
                                                  : RiderOutcome::kUnserved;
  patient_until_ = Time::max();
  watch_.at = Time::max();
  if (cancel_.failures == 0) cancel_.at = Time::max();
  if (change_.failures == 0) change_.at = Time::max();
  if (cancel_.at != Time::max()) cancel_.at = now;
}

void RiderBehaviour::OnWatch(const pb::Trip& trip, Time now) {
  watch_.failures = 0;
  OnTrip(trip, now);
}

void RiderBehaviour::OnProgress(const pb::Progress& progress) {
  history_.notified_broken |= progress.promise_broken();
}

void RiderBehaviour::OnWatchEnded(Time now) {
  // However the watch ended, it is reopened until the last state has been seen.
  Retry(watch_, absl::UnavailableError(""), now);
  if (IsEnded(state_)) watch_.at = Time::max();
}

void RiderBehaviour::OnCancel(const absl::StatusOr<pb::Trip>& answer, Time now) {
  if (Retry(cancel_, answer.status(), now)) return;
  if (!answer.ok()) return;  // Too late: the rider is aboard by now, or the trip has ended.
  history_.cancelled = true;
  OnTrip(*answer, now);
}

void RiderBehaviour::OnChangeDestination(const absl::StatusOr<pb::Trip>& answer, Time now) {
  if (Retry(change_, answer.status(), now)) return;
  history_.fare_uncertain = false;
  if (!answer.ok()) return;
  ++history_.destination_changes;
  history_.fare_minor = answer->fare().total().amount_minor();
  OnTrip(*answer, now);
}

bool RiderBehaviour::MayCancel() const {
  return state_ == pb::TRIP_STATE_REQUESTED || state_ == pb::TRIP_STATE_ASSIGNED ||
         state_ == pb::TRIP_STATE_ARRIVED || driver_lost_;
}

void RiderBehaviour::Leave(Time now) { Cancel(pb::CANCEL_REASON_OTHER, now); }

void RiderBehaviour::Cancel(pb::CancelReason reason, Time at) {
  if (!MayCancel() || cancel_.running) return;
  // A request that may have been carried out is repeated unchanged.
  if (cancel_.failures == 0) reason_ = reason;
  cancel_.at = std::min(cancel_.at, at);
}

Time RiderBehaviour::wake_at() const {
  return std::min({quote_.at, request_.at, watch_.at, cancel_.at, change_.at, patient_until_});
}

bool RiderBehaviour::done() const {
  const bool calls = quote_.running || request_.running || cancel_.running || change_.running;
  return outcome_ != RiderOutcome::kOpen && !calls && wake_at() == Time::max();
}

}  // namespace ridestream::loadtest
