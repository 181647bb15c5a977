#include "clients/cpp/src/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cpp/src/errors.h"

namespace ridestream::client {
namespace {

namespace pb = ::ridestream::dispatch::v1;

constexpr std::size_t kRememberedOffers = 64;
// The service ends a session at 64 unacked pushes, so only a faulty service sends this many.
constexpr std::size_t kMaxUntaken = 256;

bool IsPeriod(const google::protobuf::Duration& duration) {
  return ToNanoseconds(duration) >= std::chrono::milliseconds(1) &&
         ToNanoseconds(duration) <= std::chrono::hours(24);
}

std::string KindOf(const pb::DriveResponse& message) {
  const auto* field = pb::DriveResponse::descriptor()->FindFieldByNumber(message.message_case());
  return field == nullptr ? "a message of an unknown kind" : field->name();
}

}  // namespace

pb::Hello Session::ToHello(const pb::Hello& hello) const {
  pb::Hello first = hello;
  if (welcome_) {
    pb::Resume& resume = *first.mutable_resume();
    resume.set_session_id(welcome_->session_id());
    resume.set_epoch(welcome_->epoch());
    resume.set_last_sequence(last_sequence_);
    if (plan_) resume.set_plan_version(plan_->version());
  }
  return first;
}

absl::Status Session::OnWelcome(const pb::DriveResponse& message) {
  if (!message.has_welcome()) {
    return ProtocolError(absl::StrCat("the first message must be welcome, is ", KindOf(message)));
  }
  const pb::Welcome& welcome = message.welcome();
  if (absl::Status error = Check(welcome); !error.ok()) return error;
  welcome_ = welcome;
  if (!welcome.resumed()) {
    last_sequence_ = ack_ = 0;
    untaken_.clear();
    plan_.reset();
    offer_id_.clear();
  }
  absl::Status status =
      AddOfConnection(Connected{welcome.resumed(), welcome.session_id(), welcome.epoch()});
  const pb::Snapshot& snapshot = welcome.snapshot();
  if (snapshot.has_plan()) status.Update(OnPlan(0, snapshot.plan()));
  if (snapshot.has_offer()) {
    status.Update(OnOffer(0, snapshot.offer()));
  } else {
    offer_id_.clear();
  }
  return status;
}

absl::Status Session::OnPush(const pb::DriveResponse& message, bool is_answer) {
  const std::uint64_t sequence = message.sequence();
  switch (message.message_case()) {
    case pb::DriveResponse::kWelcome:
    case pb::DriveResponse::kGoodbye:
      return ProtocolError(absl::StrCat(KindOf(message), " came where it isn't allowed"));
    case pb::DriveResponse::kHeartbeat:
    case pb::DriveResponse::MESSAGE_NOT_SET:
      if (sequence == 0) return absl::OkStatus();
      break;
    default:
      break;
  }
  if (sequence == 0) return ProtocolError(absl::StrCat(KindOf(message), " has no sequence"));
  if (sequence <= last_sequence_) return absl::OkStatus();  // It arrived before.
  if (sequence > last_sequence_ + 1) {
    return ProtocolError(absl::StrCat("push ", sequence, " came after ", last_sequence_));
  }
  last_sequence_ = sequence;
  switch (message.message_case()) {
    case pb::DriveResponse::kOffer:
      return OnOffer(sequence, message.offer());
    case pb::DriveResponse::kOfferEnded:
      return OnOfferEnded(sequence, message.offer_ended());
    case pb::DriveResponse::kPlan:
      return OnPlan(sequence, message.plan());
    case pb::DriveResponse::kRejected:
      if (is_answer) return Add(sequence, std::nullopt);
      return Add(sequence, message.rejected());
    case pb::DriveResponse::kWaitingPlace:
      return Add(sequence, message.waiting_place());
    default:
      return Add(sequence, std::nullopt);
  }
}

absl::Status Session::OnDisconnected(Disconnected event) {
  return AddOfConnection(std::move(event));
}

std::optional<Event> Session::Take() {
  if (untaken_.empty()) return std::nullopt;
  std::optional<Event> event = std::move(untaken_.front().event);
  untaken_.front().event.reset();
  AckSilent();
  return event;
}

// An event of the connection replaces earlier ones.
absl::Status Session::AddOfConnection(Event event) {
  Forget<Connected, Disconnected>();
  return Add(0, std::move(event));
}

template <typename... Kinds>
void Session::Forget() {
  for (Untaken& untaken : untaken_) {
    if (untaken.event && (std::holds_alternative<Kinds>(*untaken.event) || ...)) {
      untaken.event.reset();
    }
  }
  std::erase_if(untaken_,
                [](const Untaken& untaken) { return untaken.sequence == 0 && !untaken.event; });
}

absl::Status Session::Add(std::uint64_t sequence, std::optional<Event> event) {
  if (untaken_.size() >= kMaxUntaken) {
    return ProtocolError(absl::StrCat(kMaxUntaken, " pushes came without an ack"));
  }
  untaken_.push_back({sequence, std::move(event)});
  AckSilent();
  return absl::OkStatus();
}

// The pushes before the first event that the app hasn't taken can be acked.
void Session::AckSilent() {
  while (!untaken_.empty() && !untaken_.front().event) {
    ack_ = std::max(ack_, untaken_.front().sequence);
    untaken_.pop_front();
  }
}

bool Session::HasEnded(const std::string& offer_id) const {
  return std::find(ended_offers_.begin(), ended_offers_.end(), offer_id) != ended_offers_.end();
}

absl::Status Session::OnOffer(std::uint64_t sequence, const pb::Offer& offer) {
  if (absl::Status error = CheckDriver("offer", offer.driver_id()); !error.ok()) return error;
  if (offer.offer_id().empty() || offer.trip_id().empty()) {
    return ProtocolError("offer: has no offer_id or no trip_id");
  }
  if (offer.offer_id() == offer_id_ || HasEnded(offer.offer_id())) {
    return Add(sequence, std::nullopt);
  }
  offer_id_ = offer.offer_id();
  return Add(sequence, offer);
}

absl::Status Session::OnOfferEnded(std::uint64_t sequence, const pb::OfferEnded& ended) {
  if (ended.offer_id() == offer_id_) offer_id_.clear();
  if (HasEnded(ended.offer_id())) return Add(sequence, std::nullopt);
  ended_offers_.push_back(ended.offer_id());
  if (ended_offers_.size() > kRememberedOffers) ended_offers_.pop_front();
  return Add(sequence, ended);
}

absl::Status Session::OnPlan(std::uint64_t sequence, const pb::Plan& plan) {
  if (absl::Status error = CheckDriver("plan", plan.driver_id()); !error.ok()) return error;
  pb::Plan newest = plan;
  if (plan_) {
    const bool is_known = plan.version() == plan_->version() && sequence != 0;
    if (plan.version() < plan_->version() || is_known) return Add(sequence, std::nullopt);
    // The route was sent before.
    if (!plan.has_route() && plan_->has_route() && plan.route_id() == plan_->route_id() &&
        plan.stops_size() > 0) {
      *newest.mutable_route() = plan_->route();
    }
  }
  plan_ = std::move(newest);
  Forget<pb::Plan>();
  return Add(sequence, *plan_);
}

absl::Status Session::CheckDriver(const std::string& what, const std::string& driver_id) const {
  if (driver_id == welcome_->driver_id()) return absl::OkStatus();
  return ProtocolError(absl::StrCat(what, ".driver_id: is of driver '", driver_id, "', not of '",
                                    welcome_->driver_id(), "'"));
}

absl::Status Session::Check(const pb::Welcome& welcome) const {
  if (welcome.session_id().empty()) return ProtocolError("welcome.session_id: is empty");
  if (welcome.driver_id().empty()) return ProtocolError("welcome.driver_id: is empty");
  if (welcome_ && welcome.epoch() <= welcome_->epoch()) {
    return ProtocolError(
        absl::StrCat("welcome.epoch: ", welcome.epoch(), " came after ", welcome_->epoch()));
  }
  if (welcome.resumed() && (!welcome_ || welcome.session_id() != welcome_->session_id())) {
    return ProtocolError("welcome.resumed: another session than the one asked for");
  }
  if (!IsPeriod(welcome.report_every())) {
    return ProtocolError("welcome.report_every: must be 1 ms to 1 day");
  }
  if (!IsPeriod(welcome.heartbeat())) {
    return ProtocolError("welcome.heartbeat: must be 1 ms to 1 day");
  }
  if (!(welcome.clock_rate() >= 0.01 && welcome.clock_rate() <= 1000)) {
    return ProtocolError(
        absl::StrCat("welcome.clock_rate: must be 0.01 to 1000, is ", welcome.clock_rate()));
  }
  return absl::OkStatus();
}

}  // namespace ridestream::client
