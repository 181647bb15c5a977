#include "loadtest/driver/driver_behaviour.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"

namespace ridestream::loadtest {
namespace {

namespace pb = ::ridestream::dispatch::v1;

constexpr Duration kMaxGiveUpDelay = std::chrono::seconds(60);
constexpr Duration kMinIdle = std::chrono::seconds(5);
constexpr Duration kMaxIdle = std::chrono::seconds(90);
constexpr Duration kMinReportEvery = std::chrono::milliseconds(100);

}  // namespace

DriverBehaviour::DriverBehaviour(Identity identity, const DriverHabits& habits,
                                 const Cruises& cruises, Random random, Time start)
    : identity_(std::move(identity)),
      habits_(habits),
      cruises_(cruises),
      random_(random),
      car_(identity_.place, start, habits.congestion),
      offers_(habits.offers),
      itinerary_(habits.stops),
      connect_at_(start),
      backoff_(habits.first_backoff),
      cruise_at_(start + random_.Between(Duration::zero(), kMaxIdle)) {
  history_.id = identity_.id;
  history_.seats = identity_.seats;
}

pb::DriveRequest& DriverBehaviour::Send(Time now, Actions& actions) {
  sent_at_ = now;
  return actions.send.emplace_back();
}

void DriverBehaviour::Connect(Time now, Actions& actions) {
  link_ = Link::kConnecting;
  welcome_by_ = now + habits_.welcome_timeout;
  actions.connect = true;
  pb::Hello& hello = *Send(now, actions).mutable_hello();
  hello.set_market(habits_.market);
  hello.set_name(identity_.name);
  hello.mutable_vehicle()->set_model("Toyota Prius, silver");
  hello.mutable_vehicle()->set_plate(identity_.id.str().substr(0, 16));
  hello.set_seats(identity_.seats);
  hello.set_accepts_insertions(true);
  if (session_id_.empty()) return;
  pb::Resume& resume = *hello.mutable_resume();
  resume.set_session_id(session_id_);
  resume.set_epoch(epoch_);
  resume.set_last_sequence(last_sequence_);
  resume.set_plan_version(itinerary_.version());
}

void DriverBehaviour::Lose(Time comes_back) {
  link_ = Link::kOffline;
  connect_at_ = comes_back;
  disconnect_at_ = Time::max();
  shift_ends_at_ = Time::max();
  ending_shift_ = false;
}

void DriverBehaviour::OnClosed(std::optional<Duration> retry_after, Time now) {
  if (link_ == Link::kOffline) return;  // Goodbye named the time to reconnect.
  if (std::exchange(ending_shift_, false)) {
    Lose(parked_ ? now : now + random_.Exponential(habits_.mean_break));
    return;
  }
  if (retry_after) {
    Lose(now + *retry_after + random_.Between(Duration::zero(), *retry_after / 4));
    return;
  }
  // Full jitter, so that drivers that lost their connections together don't reconnect together.
  Lose(now + random_.Between(Duration::zero(), backoff_));
  backoff_ = std::min(backoff_ * 2, habits_.longest_backoff);
}

void DriverBehaviour::OnTakenOver() {
  history_.taken_over = true;
  Lose(Time::max());
}

void DriverBehaviour::OnTime(Time now, Actions& actions) {
  car_.MoveTo(now);
  if (link_ == Link::kOffline) {
    if (now >= connect_at_) Connect(now, actions);
    return;
  }
  if (link_ == Link::kConnecting) {
    if (now < welcome_by_) return;
    OnClosed(std::nullopt, now);
    actions.disconnect = true;
    return;
  }
  if (now >= disconnect_at_ && !parked_) {
    Lose(now + random_.Exponential(habits_.mean_outage));
    actions.disconnect = true;
    return;
  }
  Act(now, actions);
}

void DriverBehaviour::Act(Time now, Actions& actions) {
  for (pb::OfferAnswer& answer : offers_.OnTime(now, history_)) {
    *Send(now, actions).mutable_offer_answer() = std::move(answer);
  }
  // Steps under way are finished when parked, but no new one begins.
  if (!parked_ || itinerary_.waiting()) {
    if (auto step = itinerary_.OnTime(now, car_, random_)) {
      Report(now, actions);  // The position is reported before the action there.
      DrivenTrip& driven = history_.Driven(TripId(step->trip_id()));
      driven.arrived |= step->action() == pb::STOP_ACTION_ARRIVED;
      driven.picked_up |= step->action() == pb::STOP_ACTION_PICKED_UP;
      driven.dropped_off |= step->action() == pb::STOP_ACTION_DROPPED_OFF;
      *Send(now, actions).mutable_stop_update() = *std::move(step);
    }
  }
  if (giving_up_ && !give_up_sent_ && now >= give_up_at_ && !parked_) {
    if (itinerary_.BeforePickUp(*giving_up_)) {
      give_up_sent_ = true;
      pb::GiveUp& give_up = *Send(now, actions).mutable_give_up();
      give_up.set_trip_id(giving_up_->str());
      give_up.set_reason("flat tyre");
      give_up.set_cause(pb::GIVE_UP_CAUSE_CANT_DRIVE);
    } else {
      giving_up_.reset();
    }
  }
  if (now >= shift_ends_at_ && MayEndShift()) {
    ending_shift_ = true;
    Send(now, actions).mutable_end_shift();
  }
  Cruise(now);
  if (now >= report_at_) Report(now, actions);
  if (now >= sent_at_ + heartbeat_) Send(now, actions).mutable_heartbeat();
}

void DriverBehaviour::Report(Time now, Actions& actions) {
  const LatLng fix = OffsetBy(car_.place(), random_.Gaussian() * habits_.gps_noise_m,
                              random_.Gaussian() * habits_.gps_noise_m);
  const Course::Motion motion = car_.motion();
  pb::Position& position = *Send(now, actions).mutable_position();
  position.set_sequence(++position_sequence_);
  position.set_lat_e7(fix.lat_e7);
  position.set_lng_e7(fix.lng_e7);
  position.set_heading_deg(motion.heading_deg);
  position.set_speed_dm_per_s(motion.speed_dm_per_s);
  position.set_device_time_ms(static_cast<std::uint64_t>(now.time_since_epoch().count() / 1'000));
  report_at_ = now + report_every_;
}

void DriverBehaviour::Cruise(Time now) {
  if (!itinerary_.idle() || !car_.halted()) {
    cruise_at_ = now + random_.Between(kMinIdle, kMaxIdle);
    return;
  }
  if (now < cruise_at_ || parked_) return;
  cruise_at_ = now + random_.Between(kMinIdle, kMaxIdle);  // If there is no way from here.
  car_.Drive(cruises_.Draw(car_.place(), random_), now);
}

void DriverBehaviour::OnMessage(const pb::DriveResponse& message, Time now, Actions& actions) {
  car_.MoveTo(now);
  if (link_ == Link::kOffline) return;  // From a stream that has been given up.
  switch (message.message_case()) {
    case pb::DriveResponse::kWelcome:
      OnWelcome(message.welcome(), now);
      Act(now, actions);
      return;
    case pb::DriveResponse::kGoodbye: {
      const Duration pause = FromProto(message.goodbye().reconnect_after());
      Lose(now + pause + random_.Between(Duration::zero(), pause / 4));
      actions.disconnect = true;
      return;
    }
    case pb::DriveResponse::kHeartbeat:
    case pb::DriveResponse::MESSAGE_NOT_SET:
      return;
    default:
      break;
  }
  if (!AckPush(message.sequence(), now, actions)) return;
  if (message.has_offer()) {
    offers_.OnOffer(message.offer(), !parked_, now, random_, history_);
  } else if (message.has_offer_ended()) {
    offers_.OnEnded(message.offer_ended(), history_);
  } else if (message.has_plan()) {
    plan_sequence_ = last_sequence_;
    if (message.plan().version() <= resumed_with_) return;
    OnPlan(message.plan(), Itinerary::Source::kPush, now);
  } else if (message.has_waiting_place()) {
    OnWaitingPlace(message.waiting_place(), now);
  } else if (message.has_rejected()) {
    OnRejected(message.rejected(), now);
  }
  Act(now, actions);
}

// Records a message out of sequence, but processes it if it is new: later messages are judged
// relative to it.
bool DriverBehaviour::AckPush(std::uint64_t sequence, Time now, Actions& actions) {
  ++history_.pushes;
  if (sequence != last_sequence_ + 1) {
    history_.Violated(Check::kPushSequence, fmt::format("session {}: push {} came after {}",
                                                        session_id_, sequence, last_sequence_));
    if (sequence <= last_sequence_) return false;
  }
  last_sequence_ = sequence;
  Send(now, actions).mutable_ack()->set_sequence(sequence);
  return true;
}

void DriverBehaviour::OnAckSent(std::uint64_t sequence) {
  if (sequence >= plan_sequence_) history_.acked_plan_version = history_.plan_version;
}

void DriverBehaviour::OnWelcome(const pb::Welcome& welcome, Time now) {
  ++history_.welcomes;
  if (welcome.epoch() <= epoch_) {
    history_.Violated(Check::kSessionEpochGrows,
                      fmt::format("epoch {} came after {}", welcome.epoch(), epoch_));
  }
  link_ = Link::kOnline;
  backoff_ = habits_.first_backoff;
  session_id_ = welcome.session_id();
  epoch_ = welcome.epoch();
  report_every_ = std::max(kMinReportEvery, FromProto(welcome.report_every()));
  heartbeat_ = std::max(kMinReportEvery, FromProto(welcome.heartbeat()));
  report_at_ = now;
  PlanDisconnect(now);
  PlanEndOfShift(now);
  if (!welcome.resumed()) {
    last_sequence_ = 0;
    offers_.Void(welcome.snapshot().offer().offer_id(), history_);
    itinerary_.Clear();
    giving_up_.reset();
    car_.HaltAt(0);
  }
  resumed_with_ = 0;
  plan_sequence_ = last_sequence_;
  if (welcome.snapshot().has_plan()) {
    OnPlan(welcome.snapshot().plan(), Itinerary::Source::kSnapshot, now);
    if (welcome.resumed()) resumed_with_ = welcome.snapshot().plan().version();
  }
  // The Hello listed what the driver has, and the snapshot needs no ack.
  OnAckSent(last_sequence_);
  offers_.OnResumed();
  itinerary_.OnResumed();
  give_up_sent_ = false;
  // In a resumed session the offer is pushed again with its sequence, so it must not be taken from
  // the snapshot.
  if (!welcome.resumed() && welcome.snapshot().has_offer()) {
    offers_.OnOffer(welcome.snapshot().offer(), !parked_, now, random_, history_);
  }
}

void DriverBehaviour::PlanDisconnect(Time now) {
  if (habits_.disconnects_per_hour <= 0) return;
  const auto mean = std::chrono::duration<double>(3600.0 / habits_.disconnects_per_hour);
  disconnect_at_ = now + random_.Exponential(std::chrono::duration_cast<Duration>(mean));
}

void DriverBehaviour::PlanEndOfShift(Time now) {
  if (habits_.shifts_per_hour <= 0) return;
  const auto mean = std::chrono::duration<double>(3600.0 / habits_.shifts_per_hour);
  shift_ends_at_ = now + random_.Exponential(std::chrono::duration_cast<Duration>(mean));
}

bool DriverBehaviour::MayEndShift() const {
  return !parked_ && !ending_shift_ && itinerary_.idle() && offers_.empty();
}

void DriverBehaviour::OnPlan(const pb::Plan& plan, Itinerary::Source source, Time now) {
  if (history_.plan_version > history_.acked_plan_version) ++history_.plans_replaced;
  itinerary_.OnPlan(plan, source, now, car_, history_);
  for (const pb::Stop& stop : plan.stops()) history_.SawInPlan(TripId(stop.trip_id()));
  history_.plan_version = itinerary_.version();
  if (giving_up_ && !itinerary_.Has(*giving_up_)) giving_up_.reset();
  if (plan.cause() != pb::PLAN_CAUSE_RIDER_ADDED || giving_up_ || plan.stops().empty() ||
      !random_.Chance(habits_.give_up_probability)) {
    return;
  }
  giving_up_ = TripId(plan.stops(0).trip_id());
  give_up_at_ = now + random_.Between(Duration::zero(), kMaxGiveUpDelay);
  give_up_sent_ = false;
}

void DriverBehaviour::OnWaitingPlace(const pb::WaitingPlace& suggestion, Time now) {
  ++history_.waiting_places;
  if (parked_ || !itinerary_.idle() || now >= FromProto(suggestion.expires_at())) return;
  if (!random_.Chance(habits_.follow_probability)) return;
  car_.Drive(cruises_.To(car_.place(), FromProto(suggestion.place())), now);
  ++history_.waiting_places_followed;
}

void DriverBehaviour::OnRejected(const pb::Rejected& rejected, Time now) {
  // The offer of a rejected answer ends by its OfferEnded.
  if (rejected.has_stop_update()) itinerary_.OnRejected(rejected.stop_update(), now);
  if (rejected.has_give_up() && giving_up_ && giving_up_->str() == rejected.give_up().trip_id()) {
    giving_up_.reset();
  }
  if (rejected.has_end_shift()) {
    ending_shift_ = false;
    PlanEndOfShift(now);
  }
}

void DriverBehaviour::Park(Time now) {
  parked_ = true;
  if (!history_.taken_over) connect_at_ = std::min(connect_at_, now);
}

Time DriverBehaviour::wake_at() const {
  switch (link_) {
    case Link::kOffline:
      return connect_at_;
    case Link::kConnecting:
      return welcome_by_;
    case Link::kOnline:
      break;
  }
  Time wake = std::min({report_at_, sent_at_ + heartbeat_, offers_.wake_at()});
  if (parked_) return itinerary_.waiting() ? std::min(wake, itinerary_.wake_at()) : wake;
  wake = std::min({wake, disconnect_at_, itinerary_.wake_at()});
  if (giving_up_ && !give_up_sent_) wake = std::min(wake, give_up_at_);
  if (MayEndShift()) wake = std::min(wake, shift_ends_at_);
  if (!car_.halted()) wake = std::min(wake, car_.halts_at());
  if (itinerary_.idle() && car_.halted()) wake = std::min(wake, cruise_at_);
  return wake;
}

bool DriverBehaviour::settled() const {
  if (history_.taken_over) return true;
  return online() && !ending_shift_ && offers_.empty() && !itinerary_.waiting() &&
         !(giving_up_ && give_up_sent_) && history_.acked_plan_version >= history_.plan_version;
}

}  // namespace ridestream::loadtest
