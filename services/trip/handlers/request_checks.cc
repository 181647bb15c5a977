#include "services/trip/handlers/request_checks.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "libs/base/geo.h"
#include "libs/base/validation.h"
#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/names.h"

namespace ridestream::trip {
namespace {

/// The only caller whose commands are bound to a lease.
bool IsDispatch(const identity::Principal& caller) {
  return caller.role == identity::Role::kService && caller.id == "dispatch";
}

/// The first of several checks that failed.
absl::Status FirstOf(std::initializer_list<absl::Status> checks) {
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  return absl::OkStatus();
}

/// A value of an enum that this version knows, other than UNSPECIFIED.
absl::Status CheckEnum(int value, bool is_known, const std::string& field) {
  if (is_known && value != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}: must be one of its named values other than UNSPECIFIED, is {}", field, value));
}

absl::Status CheckDriver(const v1::AssignTripRequest& request) {
  const common::v1::Driver& driver = request.driver();
  return FirstOf(
      {ValidateId(driver.driver_id(), "driver.driver_id"),
       ValidateText(driver.name(), kMaxNameCharacters, "driver.name"),
       ValidateText(driver.vehicle().model(), kMaxNameCharacters, "driver.vehicle.model"),
       ValidateText(driver.vehicle().plate(), kMaxPlateCharacters, "driver.vehicle.plate"),
       ValidateRange(request.seats(), 1, kMaxSeats, "seats"),
       ValidateOptionalId(request.from_driver_id(), "from_driver_id")});
}

}  // namespace

absl::Status CheckRequest(const v1::QuoteTripRequest& request) {
  return FirstOf({ValidateId(request.market(), "market"),
                  ValidatePlace(request.has_pickup() ? std::optional(FromProto(request.pickup()))
                                                     : std::nullopt,
                                "pickup"),
                  ValidatePlace(request.has_dropoff() ? std::optional(FromProto(request.dropoff()))
                                                      : std::nullopt,
                                "dropoff"),
                  ValidateRange(request.party_size(), 1, kMaxPartySize, "party_size")});
}

absl::Status CheckRequest(const v1::ListTripsRequest& request) {
  return FirstOf({ValidateRange(request.page_size(), 0, kMaxPageSize, "page_size"),
                  ValidateOptionalId(request.rider_id(), "rider_id"),
                  ValidateOptionalId(request.market(), "market")});
}

absl::Status CheckRequest(const v1::FollowTripsRequest& request) {
  absl::Status status =
      ValidateRange(request.markets_size(), 1, kMaxFollowedMarkets, "markets (their number)");
  for (int i = 0; status.ok() && i < request.markets_size(); ++i) {
    status = ValidateId(request.markets(i), fmt::format("markets[{}]", i));
  }
  if (!status.ok()) return status;
  switch (request.start_case()) {
    case v1::FollowTripsRequest::kAfterSequence:
      return absl::OkStatus();
    case v1::FollowTripsRequest::kOldestOpen:
      if (request.oldest_open()) return absl::OkStatus();
      return absl::InvalidArgumentError("oldest_open: must be true when it is set");
    case v1::FollowTripsRequest::START_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("start: one of after_sequence and oldest_open must be set");
}

absl::Status CheckReport(const v1::ReportProgressRequest& report) {
  absl::Status status =
      ValidateRange(report.trips_size(), 0, kMaxProgressEntries, "trips (their number)");
  for (int i = 0; status.ok() && i < report.trips_size(); ++i) {
    const v1::TripProgress& entry = report.trips(i);
    const std::string field = fmt::format("trips[{}]", i);
    status = ValidateId(entry.trip_id(), field + ".trip_id");
    if (status.ok()) status = ValidateId(entry.market(), field + ".market");
    if (status.ok() && entry.progress().has_driver_position()) {
      status = ValidatePlace(FromProto(entry.progress().driver_position()),
                             field + ".progress.driver_position");
    }
  }
  return status;
}

absl::StatusOr<Command> ToCommand(const identity::Principal& rider, TripId trip_id,
                                  const v1::RequestTripRequest& request) {
  absl::Status status = FirstOf(
      {ValidateId(request.request_id(), "request_id"), ValidateId(request.quote_id(), "quote_id"),
       ValidateText(request.rider_name(), kMaxNameCharacters, "rider_name"),
       ValidateText(request.note(), kMaxTextCharacters, "note")});
  if (!status.ok()) return status;
  return RequestCommand{.trip_id = std::move(trip_id),
                        .rider = RiderId(rider.id),
                        .request_id = request.request_id(),
                        .quote_id = QuoteId(request.quote_id()),
                        .rider_name = request.rider_name(),
                        .note = request.note(),
                        .caller_market = MarketId(rider.market)};
}

absl::StatusOr<Command> ToCommand(const identity::Principal& caller,
                                  const v1::CancelTripRequest& request) {
  absl::Status status = FirstOf(
      {ValidateId(request.request_id(), "request_id"), ValidateId(request.trip_id(), "trip_id"),
       CheckEnum(request.reason(), v1::CancelReason_IsValid(request.reason()), "reason"),
       ValidateText(request.comment(), kMaxTextCharacters, "comment")});
  if (!status.ok()) return status;
  if (request.reason() == v1::CANCEL_REASON_NO_SHOW) {
    return absl::InvalidArgumentError("reason: NO_SHOW is set only where a driver releases a trip");
  }
  const bool by_rider = caller.role == identity::Role::kRider;
  return CancelCommand{.trip_id = TripId(request.trip_id()),
                       .rider = RiderId(by_rider ? caller.id : ""),
                       .reason = request.reason(),
                       .comment = request.comment(),
                       .request_id = request.request_id(),
                       .service = by_rider ? "" : caller.id,
                       .term = IsDispatch(caller) ? LeaseTerm(request.term()) : std::nullopt,
                       .caller_market = MarketId(caller.market)};
}

absl::StatusOr<ChangeDestinationCommand> ToCommand(const identity::Principal& rider,
                                                   const v1::ChangeDestinationRequest& request) {
  absl::Status status = FirstOf(
      {ValidateId(request.request_id(), "request_id"), ValidateId(request.trip_id(), "trip_id"),
       ValidatePlace(
           request.has_dropoff() ? std::optional(FromProto(request.dropoff())) : std::nullopt,
           "dropoff")});
  if (!status.ok()) return status;
  return ChangeDestinationCommand{TripId(request.trip_id()),
                                  RiderId(rider.id),
                                  request.request_id(),
                                  FromProto(request.dropoff()),
                                  {}};
}

absl::StatusOr<Command> ToCommand(const v1::AssignTripRequest& request) {
  absl::Status status = FirstOf({ValidateId(request.trip_id(), "trip_id"),
                                 ValidateId(request.offer_id(), "offer_id"), CheckDriver(request)});
  if (!status.ok()) return status;
  return AssignCommand{
      TripId(request.trip_id()), OfferId(request.offer_id()),        request.driver(),
      request.seats(),           DriverId(request.from_driver_id()), request.term()};
}

absl::StatusOr<Command> ToCommand(const v1::AdvanceTripRequest& request) {
  absl::Status status = FirstOf(
      {ValidateId(request.trip_id(), "trip_id"), ValidateId(request.driver_id(), "driver_id")});
  if (!status.ok()) return status;
  switch (request.to()) {
    case v1::TRIP_STATE_ARRIVED:
    case v1::TRIP_STATE_ABOARD:
    case v1::TRIP_STATE_COMPLETED:
      return AdvanceCommand{
          TripId(request.trip_id()), DriverId(request.driver_id()), request.to(),
          request.plausibility(),    request.distance_m(),          request.term()};
    default:
      return absl::InvalidArgumentError(
          fmt::format("to: must be ARRIVED, ABOARD or COMPLETED, is {}", StateName(request.to())));
  }
}

absl::StatusOr<Command> ToCommand(const v1::ReleaseTripRequest& request) {
  absl::Status status = FirstOf(
      {ValidateId(request.trip_id(), "trip_id"), ValidateId(request.driver_id(), "driver_id"),
       CheckEnum(request.reason(), v1::ReleaseReason_IsValid(request.reason()), "reason"),
       ValidateText(request.note(), kMaxTextCharacters, "note")});
  if (!status.ok()) return status;
  if (request.reason() == v1::RELEASE_REASON_REASSIGNED) {
    return absl::InvalidArgumentError("reason: REASSIGNED is set only by AssignTrip");
  }
  return ReleaseCommand{TripId(request.trip_id()), DriverId(request.driver_id()), request.reason(),
                        request.note(), request.term()};
}

absl::StatusOr<Command> ToCommand(const v1::GiveUpTripRequest& request) {
  if (absl::Status status = ValidateId(request.trip_id(), "trip_id"); !status.ok()) {
    return status;
  }
  return GiveUpCommand{TripId(request.trip_id()), request.term()};
}

absl::StatusOr<Command> ToCommand(const v1::ReportDriverLostRequest& request) {
  absl::Status status = FirstOf(
      {ValidateId(request.trip_id(), "trip_id"), ValidateId(request.driver_id(), "driver_id")});
  if (!status.ok()) return status;
  return DriverLostCommand{TripId(request.trip_id()), DriverId(request.driver_id()), request.lost(),
                           request.term()};
}

namespace {

template <class Request>
absl::Status CheckHolder(const Request& request) {
  return FirstOf({ValidateId(request.market(), "market"), ValidateId(request.holder(), "holder")});
}

absl::Status CheckTermField(std::uint64_t term) {
  if (term >= 1 && term <= std::numeric_limits<std::int64_t>::max()) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("term: must be 1 or more, is {}", term));
}

absl::Status CheckDuration(const google::protobuf::Duration& duration) {
  constexpr std::int64_t kMostSeconds =
      std::chrono::duration_cast<std::chrono::seconds>(kLongestLease).count();
  // Before it is counted in microseconds, for which the field is too large.
  const bool is_small = duration.seconds() >= 0 && duration.seconds() <= kMostSeconds;
  const Duration lasts = is_small ? FromProto(duration) : Duration::zero();
  if (lasts >= kShortestLease && lasts <= kLongestLease) return absl::OkStatus();
  return absl::InvalidArgumentError("duration: must be 100 ms to 60 s");
}

Duration ByRate(Duration wall, double rate) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::micro>(wall) *
                                              rate);
}

LeaseCommand MakeLeaseCommand(LeaseCommand::Kind kind, const std::string& market,
                              const std::string& holder, double rate) {
  return {.kind = kind,
          .market = MarketId(market),
          .holder = holder,
          .longest = ByRate(kLongestLease, rate)};
}

}  // namespace

absl::StatusOr<LeaseCommand> ToLeaseCommand(const v1::AcquireLeaseRequest& request, double rate) {
  absl::Status status =
      FirstOf({CheckHolder(request), ValidateText(request.address(), kMaxTextCharacters, "address"),
               CheckDuration(request.duration())});
  if (!status.ok()) return status;
  LeaseCommand command =
      MakeLeaseCommand(LeaseCommand::Kind::kAcquire, request.market(), request.holder(), rate);
  command.address = request.address();
  command.lasts = ByRate(FromProto(request.duration()), rate);
  return command;
}

absl::StatusOr<LeaseCommand> ToLeaseCommand(const v1::RenewLeaseRequest& request, double rate) {
  absl::Status status = FirstOf(
      {CheckHolder(request), CheckTermField(request.term()), CheckDuration(request.duration())});
  if (!status.ok()) return status;
  LeaseCommand command =
      MakeLeaseCommand(LeaseCommand::Kind::kRenew, request.market(), request.holder(), rate);
  command.term = request.term();
  command.lasts = ByRate(FromProto(request.duration()), rate);
  return command;
}

absl::StatusOr<LeaseCommand> ToLeaseCommand(const v1::ReleaseLeaseRequest& request, double rate) {
  absl::Status status = FirstOf({CheckHolder(request), CheckTermField(request.term())});
  if (!status.ok()) return status;
  LeaseCommand command =
      MakeLeaseCommand(LeaseCommand::Kind::kRelease, request.market(), request.holder(), rate);
  command.term = request.term();
  return command;
}

}  // namespace ridestream::trip
