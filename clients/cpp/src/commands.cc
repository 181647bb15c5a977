#include "clients/cpp/src/commands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cpp/src/checks.h"
#include "clients/cpp/src/errors.h"
#include "google/protobuf/util/message_differencer.h"

namespace ridestream::client {
namespace {

namespace pb = ::ridestream::dispatch::v1;

constexpr char kShiftKey[] = "end_shift";

std::string KeyOf(const pb::OfferAnswer& answer) {
  return absl::StrCat("offer_answer ", answer.offer_id());
}
std::string KeyOf(const pb::StopUpdate& update) {
  return absl::StrCat("stop_update ", update.trip_id(), " ", static_cast<int>(update.action()));
}
std::string GiveUpKey(const std::string& trip_id) { return absl::StrCat("give_up ", trip_id); }

/// The key of the command in a DriveRequest or a Rejected. Empty: the command is of an unknown
/// kind.
template <typename Message>
std::string KeyOfCommand(const Message& message) {
  if (message.has_offer_answer()) return KeyOf(message.offer_answer());
  if (message.has_stop_update()) return KeyOf(message.stop_update());
  if (message.has_give_up()) return GiveUpKey(message.give_up().trip_id());
  return message.has_end_shift() ? kShiftKey : "";
}

std::string KeyOfAnswered(const pb::AnsweredCommand& answered) {
  if (answered.has_stop_update()) return KeyOf(answered.stop_update());
  return answered.command_case() == pb::AnsweredCommand::kGivenUpTripId
             ? GiveUpKey(answered.given_up_trip_id())
             : "";
}

absl::Status ErrorOf(const pb::Rejected& rejected) {
  auto code = static_cast<absl::StatusCode>(rejected.code());
  if (rejected.code() == pb::REJECTION_CODE_UNSPECIFIED ||
      !pb::RejectionCode_IsValid(rejected.code())) {
    code = absl::StatusCode::kFailedPrecondition;
  }
  return MakeError(code, rejected.message(), {.kind = ErrorKind::kRejected});
}

/// Whether the command still has to do something about this stop of its trip.
bool IsOpen(const pb::Stop& stop, const pb::DriveRequest& request) {
  const bool is_pick_up = stop.kind() == pb::STOP_KIND_PICK_UP;
  if (request.stop_update().action() == pb::STOP_ACTION_ARRIVED) {
    return is_pick_up && !stop.arrived();
  }
  return is_pick_up || request.stop_update().action() != pb::STOP_ACTION_PICKED_UP;
}

/// Whether the command has taken effect in the plan.
bool Shows(const pb::Plan& plan, const pb::DriveRequest& request) {
  if (!request.has_stop_update() && !request.has_give_up()) return false;
  const std::string& trip_id =
      request.has_give_up() ? request.give_up().trip_id() : request.stop_update().trip_id();
  return std::none_of(plan.stops().begin(), plan.stops().end(), [&](const pb::Stop& stop) {
    return stop.trip_id() == trip_id && IsOpen(stop, request);
  });
}

}  // namespace

bool Commands::Add(pb::DriveRequest request, OnResult on_result) {
  const std::string key = KeyOfCommand(request);
  for (Pending& pending : pending_) {
    if (pending.key != key) continue;
    if (google::protobuf::util::MessageDifferencer::Equals(pending.request, request)) {
      pending.waiting.push_back(std::move(on_result));
    } else {
      on_result(Invalid(absl::StrCat(key, ": another command about the same is under way")));
    }
    return false;
  }
  pending_.push_back({key, std::move(request), {std::move(on_result)}});
  return true;
}

std::vector<pb::DriveRequest> Commands::requests() const {
  std::vector<pb::DriveRequest> requests;
  for (const Pending& pending : pending_) requests.push_back(pending.request);
  return requests;
}

bool Commands::IsEndingShift() const { return Find(kShiftKey) != nullptr; }

bool Commands::IsAnswer(const pb::DriveResponse& message) const {
  return message.has_rejected() && Find(KeyOfCommand(message.rejected())) != nullptr;
}

void Commands::OnPush(const pb::DriveResponse& message, const pb::Plan& newest) {
  if (message.has_rejected()) {
    Settle(KeyOfCommand(message.rejected()), ErrorOf(message.rejected()));
  }
  if (message.has_offer_ended()) {
    pb::OfferAnswer answer;
    answer.set_offer_id(message.offer_ended().offer_id());
    Settle(KeyOf(answer), CommandResult(message.offer_ended()));
  }
  for (const pb::AnsweredCommand& answered : message.plan().answers()) {
    Settle(KeyOfAnswered(answered), CommandResult(newest));
  }
}

void Commands::OnSnapshot(const pb::Plan& plan) {
  std::vector<std::string> done;
  for (const Pending& pending : pending_) {
    if (Shows(plan, pending.request)) done.push_back(pending.key);
  }
  for (const std::string& key : done) Settle(key, CommandResult(plan));
}

void Commands::OnShiftEnded() { Settle(kShiftKey, CommandResult()); }

void Commands::FailAll(const absl::Status& error) {
  for (const Pending& pending : std::exchange(pending_, {})) {
    for (const OnResult& on_result : pending.waiting) on_result(error);
  }
}

const Commands::Pending* Commands::Find(const std::string& key) const {
  for (const Pending& pending : pending_) {
    if (pending.key == key) return &pending;
  }
  return nullptr;
}

void Commands::Settle(const std::string& key, const absl::StatusOr<CommandResult>& result) {
  const Pending* found = Find(key);
  if (found == nullptr) return;
  const std::vector<OnResult> waiting = found->waiting;
  pending_.erase(pending_.begin() + (found - pending_.data()));
  for (const OnResult& on_result : waiting) on_result(result);
}

}  // namespace ridestream::client
