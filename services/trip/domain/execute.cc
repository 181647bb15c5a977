#include "services/trip/domain/execute.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/state_machine.h"

namespace ridestream::trip {
namespace {

Outcome Refuse(absl::Status why) { return {std::move(why)}; }
Outcome AnswerAsIs(v1::Trip trip) { return {std::make_shared<const v1::Trip>(std::move(trip))}; }
Outcome Changed(const EventPtr& event) { return {TripPtr(event, &event->trip()), event}; }

absl::Status NoSuchTrip(const TripId& id) {
  return absl::NotFoundError(fmt::format("there is no trip {}", id));
}

class Execution {
 public:
  Execution(std::optional<std::uint64_t> term, Time now, Ledger& ledger)
      : term_(term), now_(now), ledger_(ledger) {}

  absl::StatusOr<Outcome> operator()(const RequestCommand& command);
  absl::StatusOr<Outcome> operator()(const CancelCommand& command);
  absl::StatusOr<Outcome> operator()(const ChangeDestinationCommand& command);
  absl::StatusOr<Outcome> operator()(const AssignCommand& command);
  absl::StatusOr<Outcome> operator()(const DriverLostCommand& command);
  absl::StatusOr<Outcome> operator()(const AdvanceCommand& command);
  template <class PlainCommand>
  absl::StatusOr<Outcome> operator()(const PlainCommand& command) {
    return Change(command.trip_id, v1::TRIP_CHANGE_STATE,
                  [&](TripRecord& record) -> absl::StatusOr<Effect> {
                    absl::StatusOr<Effect> effect = Apply(command, now_, record.trip);
                    if (!record.trip.has_driver()) record.seats = 0;
                    return effect;
                  });
  }

 private:
  /// Finds the trip, lets `apply` edit it, writes what it changed. `apply` puts failures of the
  /// ledger into `ledger_failure_`. `change`: what the event is about if the state stays.
  template <class ApplyTo>
  absl::StatusOr<Outcome> Change(const TripId& id, v1::TripChange change, ApplyTo apply);
  /// The same for a command with an id, which the first success uses up. `apply` gets whether this
  /// command is a repeat; the id of another command is refused.
  template <class ApplyTo>
  absl::StatusOr<Outcome> ChangeOnce(const char* field, const UsedId& id, const IdUse& use,
                                     v1::TripChange change, ApplyTo apply);
  absl::StatusOr<std::optional<Outcome>> AnswerRepeat(const RequestCommand& command);
  absl::StatusOr<Outcome> Begin(const RequestCommand& command, v1::Trip trip);

  /// Refuses a command in an older term. Puts a failure of the ledger into `ledger_failure_`.
  absl::Status CheckTermIn(const MarketId& market);

  const std::optional<std::uint64_t> term_;
  const Time now_;
  Ledger& ledger_;
  absl::Status ledger_failure_;
};

absl::Status Execution::CheckTermIn(const MarketId& market) {
  if (!term_) return absl::OkStatus();
  const absl::StatusOr<std::optional<Lease>> lease = ledger_.FindLease(market);
  if (!lease.ok()) return ledger_failure_ = lease.status();
  return CheckTerm(*term_, market, *lease);
}

template <class ApplyTo>
absl::StatusOr<Outcome> Execution::Change(const TripId& id, v1::TripChange change, ApplyTo apply) {
  absl::StatusOr<std::optional<TripRecord>> found = ledger_.FindTrip(id);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return Refuse(NoSuchTrip(id));
  TripRecord& record = **found;
  absl::Status in_term = CheckTermIn(MarketId(record.trip.market()));
  if (!ledger_failure_.ok()) return ledger_failure_;
  if (!in_term.ok()) return Refuse(std::move(in_term));

  const v1::TripState previous_state = record.trip.state();
  const absl::StatusOr<Effect> effect = apply(record);
  if (!ledger_failure_.ok()) return ledger_failure_;
  if (!effect.ok()) return Refuse(effect.status());
  if (*effect == Effect::kNone) return AnswerAsIs(std::move(record.trip));

  record.trip.set_version(record.trip.version() + 1);
  auto event = std::make_shared<v1::TripEvent>();
  event->set_previous_state(previous_state);
  event->set_change(record.trip.state() == previous_state ? change : v1::TRIP_CHANGE_STATE);
  *event->mutable_at() = ToProto(now_);
  *event->mutable_trip() = std::move(record.trip);
  absl::Status status = ledger_.Update(record.first_sequence, record.seats, *event);
  if (!status.ok()) return status;
  return Changed(std::move(event));
}

template <class ApplyTo>
absl::StatusOr<Outcome> Execution::ChangeOnce(const char* field, const UsedId& id, const IdUse& use,
                                              v1::TripChange change, ApplyTo apply) {
  const absl::StatusOr<std::optional<IdUse>> earlier = ledger_.FindUse(id);
  if (!earlier.ok()) return earlier.status();
  const bool repeat = earlier->has_value();
  if (repeat && **earlier != use) {
    return Refuse(absl::AlreadyExistsError(
        fmt::format("{}: '{}' was used for trip {} already{}", field, id.id, (*earlier)->trip_id,
                    (*earlier)->trip_id == use.trip_id ? ", with different content" : "")));
  }
  absl::StatusOr<Outcome> outcome =
      Change(use.trip_id, change, [&](TripRecord& record) { return apply(record, repeat); });
  if (repeat || !outcome.ok() || !outcome->answer.ok()) return outcome;
  if (absl::Status status = ledger_.RecordUse(id, use); !status.ok()) return status;
  return outcome;
}

/// The answer that the same request got before, if it was made before.
absl::StatusOr<std::optional<Outcome>> Execution::AnswerRepeat(const RequestCommand& command) {
  absl::StatusOr<std::optional<TripRecord>> earlier =
      ledger_.FindRequest(command.rider, command.request_id);
  if (!earlier.ok()) return earlier.status();
  if (!earlier->has_value()) return std::optional<Outcome>();
  TripRecord& record = **earlier;
  if (absl::Status status = CheckCallerMarket(command.caller_market, record.trip); !status.ok()) {
    return std::optional(Refuse(std::move(status)));
  }
  const char* other = record.quote_id != command.quote_id                    ? "quote"
                      : record.trip.passenger().name() != command.rider_name ? "name"
                      : record.trip.passenger().note() != command.note       ? "note"
                                                                             : nullptr;
  if (other != nullptr) {
    return std::optional(Refuse(absl::AlreadyExistsError(
        fmt::format("request_id: '{}' was used for trip {} with another {}", command.request_id,
                    record.trip.trip_id(), other))));
  }
  return std::optional(AnswerAsIs(std::move(record.trip)));
}

absl::StatusOr<Outcome> Execution::operator()(const RequestCommand& command) {
  absl::StatusOr<std::optional<Quote>> quote = ledger_.FindQuote(command.quote_id);
  if (!quote.ok()) return quote.status();
  absl::StatusOr<v1::Trip> trip =
      absl::NotFoundError(fmt::format("there is no quote {}", command.quote_id));
  if (quote->has_value() && (*quote)->trip.passenger().rider_id() == command.rider.str()) {
    absl::Status in_market = CheckCallerMarket(command.caller_market, (*quote)->trip);
    if (!in_market.ok()) return Refuse(std::move(in_market));
    trip = BeginTrip(command, **std::move(quote), now_);
  }
  if (trip.ok()) return Begin(command, *std::move(trip));
  // A repeated request gets its trip also when the quote is over by now.
  absl::StatusOr<std::optional<Outcome>> repeat = AnswerRepeat(command);
  if (!repeat.ok()) return repeat.status();
  if (repeat->has_value()) return **std::move(repeat);
  return Refuse(trip.status());
}

/// Lets the constraints of the ledger decide, and asks only afterwards which one it was: the usual
/// request costs no look-up.
absl::StatusOr<Outcome> Execution::Begin(const RequestCommand& command, v1::Trip trip) {
  trip.set_version(1);
  auto event = std::make_shared<v1::TripEvent>();
  event->set_change(v1::TRIP_CHANGE_STATE);
  *event->mutable_at() = ToProto(now_);
  *event->mutable_trip() = std::move(trip);
  const absl::StatusOr<bool> inserted = ledger_.Insert(command, *event);
  if (!inserted.ok()) return inserted.status();
  if (*inserted) return Changed(std::move(event));
  absl::StatusOr<std::optional<Outcome>> repeat = AnswerRepeat(command);
  if (!repeat.ok()) return repeat.status();
  if (repeat->has_value()) return **std::move(repeat);
  const absl::StatusOr<std::optional<TripId>> open = ledger_.FindOpenTrip(command.rider);
  if (!open.ok()) return open.status();
  if (open->has_value()) {
    return Refuse(absl::FailedPreconditionError(
        fmt::format("rider {} has an open trip: {}", command.rider, **open)));
  }
  const absl::StatusOr<std::optional<TripId>> served = ledger_.FindTripOfQuote(command.quote_id);
  if (!served.ok()) return served.status();
  if (!served->has_value()) {
    return absl::InternalError(
        fmt::format("trip {} can't be written, for an unknown reason", command.trip_id));
  }
  return Refuse(absl::FailedPreconditionError(fmt::format(
      "quote {} has served trip {}; ask for another quote", command.quote_id, **served)));
}

absl::StatusOr<Outcome> Execution::operator()(const CancelCommand& command) {
  const std::string caller = command.service.empty() ? fmt::format("rider/{}", command.rider)
                                                     : fmt::format("service/{}", command.service);
  return ChangeOnce(
      "request_id", {IdScope::kCancel, caller, command.request_id},
      {command.trip_id, fmt::format("{} {}", static_cast<int>(command.reason), command.comment)},
      v1::TRIP_CHANGE_STATE,
      [&](TripRecord& record, bool) { return Apply(command, now_, record.trip); });
}

absl::StatusOr<Outcome> Execution::operator()(const DriverLostCommand& command) {
  return Change(command.trip_id,
                command.lost ? v1::TRIP_CHANGE_DRIVER_LOST : v1::TRIP_CHANGE_DRIVER_HEARD,
                [&](TripRecord& record) { return Apply(command, now_, record.trip); });
}

absl::StatusOr<Outcome> Execution::operator()(const ChangeDestinationCommand& command) {
  return ChangeOnce(
      "request_id",
      {IdScope::kChangeDestination, fmt::format("rider/{}", command.rider), command.request_id},
      {command.trip_id, fmt::format("{},{}", command.dropoff.lat_e7, command.dropoff.lng_e7)},
      v1::TRIP_CHANGE_DESTINATION, [&](TripRecord& record, bool repeat) -> absl::StatusOr<Effect> {
        // The destination may have changed again since.
        return repeat ? Effect::kNone : Apply(command, now_, record.trip);
      });
}

absl::StatusOr<Outcome> Execution::operator()(const AssignCommand& command) {
  return ChangeOnce("offer_id", {IdScope::kAssign, "", command.offer_id.str()},
                    {command.trip_id, command.driver.driver_id()}, v1::TRIP_CHANGE_DRIVER,
                    [&](TripRecord& record, bool) -> absl::StatusOr<Effect> {
                      const absl::StatusOr<DriverLoad> load = ledger_.FindDriverLoad(
                          DriverId(command.driver.driver_id()), command.trip_id);
                      if (!load.ok()) return ledger_failure_ = load.status();
                      absl::StatusOr<Effect> effect = Apply(command, *load, now_, record.trip);
                      if (effect.ok() && *effect == Effect::kChanged) record.seats = command.seats;
                      return effect;
                    });
}

absl::StatusOr<Outcome> Execution::operator()(const AdvanceCommand& command) {
  return Change(command.trip_id, v1::TRIP_CHANGE_STATE,
                [&](TripRecord& record) -> absl::StatusOr<Effect> {
                  DriverLoad load;
                  if (command.to == v1::TRIP_STATE_ABOARD) {
                    const absl::StatusOr<DriverLoad> found =
                        ledger_.FindDriverLoad(command.driver_id, command.trip_id);
                    if (!found.ok()) return ledger_failure_ = found.status();
                    load = *found;
                  }
                  return Apply(command, load, record.seats, now_, record.trip);
                });
}

}  // namespace

absl::StatusOr<Outcome> Execute(const Command& command, Time now, Ledger& ledger) {
  Execution execution(TermOf(command), now, ledger);
  return std::visit(execution, command);
}

absl::StatusOr<LeaseAnswer> Execute(const LeaseCommand& command, Time now, Ledger& ledger) {
  const absl::StatusOr<std::optional<Lease>> row = ledger.FindLease(command.market);
  if (!row.ok()) return row.status();
  LeaseDecision decision = Decide(command, *row, now);
  if (decision.write) {
    if (absl::Status status = ledger.WriteLease(*decision.write); !status.ok()) return status;
  }
  return std::move(decision.answer);
}

}  // namespace ridestream::trip
