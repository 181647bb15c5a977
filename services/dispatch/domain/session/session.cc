#include "services/dispatch/domain/session/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "s2/s2latlng.h"

namespace ridestream::dispatch {

bool Session::Resumes(const v1::Hello& hello) const {
  if (void_ || !hello.has_resume() || hello.resume().session_id() != id_.str()) return false;
  const std::uint64_t first_held = queue_.empty() ? last_sequence_ + 1 : queue_.front().sequence();
  // The driver's last sequence is at least what was removed after acks, and at most what was sent.
  return hello.resume().last_sequence() + 1 >= first_held &&
         hello.resume().last_sequence() <= last_sequence_;
}

std::uint64_t Session::Connect(const v1::Hello& hello, SessionId fresh_id, Time now,
                               absl::FunctionRef<void(const v1::DriveResponse&)> acked) {
  epoch_ = std::max(epoch_, hello.resume().epoch()) + 1;
  resumed_ = Resumes(hello);
  if (resumed_) {
    while (!queue_.empty() && queue_.front().sequence() <= hello.resume().last_sequence()) {
      acked(queue_.front());
      queue_.pop_front();
    }
    EndOffersThatRanOut(now);
  } else {
    id_ = std::move(fresh_id);
    queue_.clear();
    last_sequence_ = 0;
    last_position_sequence_ = 0;
    void_ = false;
  }
  sent_ = 0;
  connected_ = true;
  welcomed_ = false;
  welcome_.reset();
  heartbeat_due_ = false;
  last_heard_ = now;
  suspect_ = false;
  return epoch_;
}

void Session::EndOffersThatRanOut(Time now) {
  for (v1::DriveResponse& message : queue_) {
    if (!message.has_offer()) continue;
    const v1::Offer& offer = message.offer();
    const auto end = std::find_if(queue_.begin(), queue_.end(), [&](const auto& other) {
      return other.has_offer_ended() && other.offer_ended().offer_id() == offer.offer_id();
    });
    v1::OfferEnded ended;
    if (end != queue_.end()) {
      ended = end->offer_ended();
    } else if (FromProto(offer.expires_at()) <= now) {
      ended.set_offer_id(offer.offer_id());
      ended.set_trip_id(offer.trip_id());
      ended.set_outcome(v1::OFFER_OUTCOME_EXPIRED);
    } else {
      continue;
    }
    *message.mutable_offer_ended() = std::move(ended);
  }
}

void Session::Welcome(std::uint64_t epoch, const DriverId& driver, const v1::Snapshot& snapshot,
                      Time now) {
  if (epoch != epoch_ || !connected_ || welcomed_) return;
  if (!resumed_) {
    queue_.clear();
    last_sequence_ = 0;
  }
  welcomed_ = true;
  v1::Welcome& welcome = *welcome_.emplace().mutable_welcome();
  welcome.set_session_id(id_.str());
  welcome.set_epoch(epoch_);
  welcome.set_resumed(resumed_);
  *welcome.mutable_report_every() = ToProto(config_->report_every);
  *welcome.mutable_heartbeat() = ToProto(config_->heartbeat());
  *welcome.mutable_snapshot() = snapshot;
  welcome.set_clock_rate(config_->clock_rate);
  *welcome.mutable_server_time() = ToProto(now);
  welcome.set_driver_id(driver.str());
}

void Session::Disconnect(std::uint64_t epoch) {
  if (epoch != epoch_) return;
  connected_ = false;
  welcome_.reset();
  sent_ = 0;
}

absl::Status Session::Push(v1::DriveResponse message) {
  if (void_) return absl::OkStatus();  // Nobody holds this session; the next Welcome tells all.
  if (queue_.size() >= config_->max_unacked) {
    void_ = true;
    queue_.clear();
    sent_ = 0;
    return absl::ResourceExhaustedError(
        fmt::format("the driver left {} pushes unacked; connect again", config_->max_unacked));
  }
  message.set_sequence(++last_sequence_);
  queue_.push_back(std::move(message));
  return absl::OkStatus();
}

bool Session::NextToSend(v1::DriveResponse* message) {
  if (!connected_ || !welcomed_) return false;
  if (welcome_) {
    *message = std::move(*welcome_);
    welcome_.reset();
    return true;
  }
  if (sent_ < queue_.size()) {
    *message = queue_[sent_++];
    heartbeat_due_ = false;
    return true;
  }
  if (heartbeat_due_) {
    heartbeat_due_ = false;
    message->Clear();
    message->mutable_heartbeat();
    return true;
  }
  return false;
}

absl::Status Session::Ack(std::uint64_t sequence,
                          absl::FunctionRef<void(const v1::DriveResponse&)> acked) {
  const std::uint64_t last_sent =
      queue_.empty() ? last_sequence_ : queue_.front().sequence() + sent_ - 1;
  if (sequence > last_sent) {
    return absl::InvalidArgumentError(
        fmt::format("ack.sequence: {} was never sent, the last was {}", sequence, last_sent));
  }
  while (!queue_.empty() && queue_.front().sequence() <= sequence) {
    acked(queue_.front());
    queue_.pop_front();
    --sent_;
  }
  return absl::OkStatus();
}

bool Session::IsPlausible(LatLng from, Time at, LatLng to, Time now) const {
  const double seconds = std::chrono::duration<double>(now - at).count();
  return FastDistanceM(from, to) <=
         config_->max_speed_m_per_s * std::max(0.0, seconds) + config_->jump_slack_m;
}

bool Session::TokenBucket::Take(double per_s, Time now) {
  if (per_s <= 0) return true;
  const double burst = std::max(1.0, 2 * per_s);
  const double passed_s =
      filled_at == Time::min() ? burst : std::chrono::duration<double>(now - filled_at).count();
  tokens = std::min(burst, tokens + std::max(0.0, passed_s) * per_s);
  filled_at = now;
  if (tokens < 1) return false;
  tokens -= 1;
  return true;
}

PositionVerdict Session::OnPosition(const v1::Position& position, Time now) {
  const LatLng place{position.lat_e7(), position.lng_e7()};
  if (!place.IsValid()) return PositionVerdict::kOutOfRange;
  // A phone without a fix repeats 0,0. A place must be plausible for the car, however often it is
  // repeated.
  if (area_ != nullptr && !area_->Contains(S2LatLng::FromE7(place.lat_e7, place.lng_e7))) {
    return PositionVerdict::kOutOfRange;
  }
  if (position.sequence() <= last_position_sequence_) return PositionVerdict::kLate;
  if (!positions_.Take(config_->max_positions_per_s, now)) return PositionVerdict::kTooMany;
  last_position_sequence_ = position.sequence();
  if (position_ && !IsPlausible(*position_, position_at_, place, now)) {
    const bool agrees = held_ && IsPlausible(held_->place, held_->at, place, now);
    held_ = Fix{place, now, agrees ? held_->agreeing + 1 : 1};
    if (held_->agreeing < config_->fixes_to_believe_jump) return PositionVerdict::kHeldBack;
  }
  held_.reset();
  position_ = place;
  position_at_ = now;
  return PositionVerdict::kAccepted;
}

bool Session::OnHeard(Time now) {
  last_heard_ = now;
  return std::exchange(suspect_, false);
}

bool Session::BecameSuspect(Time now) {
  if (epoch_ == 0 || suspect_ || now - last_heard_ < config_->suspect_after) return false;
  suspect_ = true;
  return true;
}

bool Session::MayBeDropped(Time now) const {
  const Duration after = position_ ? config_->drop_after : config_->suspect_after;
  return epoch_ != 0 && !connected_ && now - last_heard_ >= after;
}

}  // namespace ridestream::dispatch
