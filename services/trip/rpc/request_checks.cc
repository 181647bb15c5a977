#include "services/trip/rpc/request_checks.h"

#include <fmt/format.h>

#include "libs/base/geo.h"
#include "services/trip/domain/names.h"
#include "services/trip/domain/proto_convert.h"
#include "services/trip/rpc/progress_reader.h"

namespace ridestream::trip {
namespace {

/// The first of several checks that failed.
absl::Status FirstOf(std::initializer_list<absl::Status> checks) {
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  return absl::OkStatus();
}

absl::Status CheckRange(std::int64_t value, std::int64_t low, std::int64_t high,
                        const std::string& field) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: must be {} to {}, is {}", field, low, high, value));
}

/// A value of an enum that this version knows, other than UNSPECIFIED.
absl::Status CheckEnum(int value, bool is_known, const std::string& field) {
  if (is_known && value != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}: must be one of its named values other than UNSPECIFIED, is {}", field, value));
}

absl::Status CheckDriver(const v1::AssignTripRequest& request) {
  const common::v1::Driver& driver = request.driver();
  return FirstOf({rpc::ValidateId(driver.driver_id(), "driver.driver_id"),
                  CheckText(driver.name(), kMaxNameBytes, "driver.name"),
                  CheckText(driver.vehicle().model(), kMaxNameBytes, "driver.vehicle.model"),
                  CheckText(driver.vehicle().plate(), kMaxPlateBytes, "driver.vehicle.plate"),
                  CheckRange(request.seats(), 1, kMaxSeats, "seats"),
                  request.from_driver_id().empty()
                      ? absl::OkStatus()
                      : rpc::ValidateId(request.from_driver_id(), "from_driver_id")});
}

}  // namespace

absl::Status CheckText(const std::string& text, size_t max_bytes, const std::string& field) {
  if (text.size() <= max_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{}: must have at most {} bytes, has {}", field, max_bytes, text.size()));
}

absl::Status CheckPlace(const common::v1::LatLng* place, const std::string& field) {
  if (place == nullptr) {
    return absl::InvalidArgumentError(fmt::format("{}: is missing", field));
  }
  return FirstOf({CheckRange(place->lat_e7(), -900'000'000, 900'000'000, field + ".lat_e7"),
                  CheckRange(place->lng_e7(), -1'800'000'000, 1'800'000'000, field + ".lng_e7")});
}

absl::Status CheckRequest(const v1::QuoteTripRequest& request) {
  return FirstOf({rpc::ValidateId(request.market(), "market"),
                  CheckPlace(request.has_pickup() ? &request.pickup() : nullptr, "pickup"),
                  CheckPlace(request.has_dropoff() ? &request.dropoff() : nullptr, "dropoff"),
                  CheckRange(request.party_size(), 1, kMaxPartySize, "party_size")});
}

absl::Status CheckRequest(const v1::ListTripsRequest& request) {
  absl::Status status = CheckRange(request.page_size(), 0, kMaxPageSize, "page_size");
  if (status.ok() && !request.rider_id().empty()) {
    status = rpc::ValidateId(request.rider_id(), "rider_id");
  }
  if (status.ok() && !request.market().empty()) {
    status = rpc::ValidateId(request.market(), "market");
  }
  return status;
}

absl::Status CheckRequest(const v1::FollowTripsRequest& request) {
  absl::Status status =
      CheckRange(request.markets_size(), 1, kMaxFollowedMarkets, "markets (their number)");
  for (int i = 0; status.ok() && i < request.markets_size(); ++i) {
    status = rpc::ValidateId(request.markets(i), fmt::format("markets[{}]", i));
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
      CheckRange(report.trips_size(), 0, ProgressReader::kMaxEntries, "trips (their number)");
  for (int i = 0; status.ok() && i < report.trips_size(); ++i) {
    const v1::TripProgress& entry = report.trips(i);
    const std::string field = fmt::format("trips[{}]", i);
    status = rpc::ValidateId(entry.trip_id(), field + ".trip_id");
    if (status.ok() && entry.progress().has_driver_position()) {
      status = CheckPlace(&entry.progress().driver_position(), field + ".progress.driver_position");
    }
  }
  return status;
}

absl::StatusOr<Command> ToCommand(const rpc::Caller& rider, TripId trip_id,
                                  const v1::RequestTripRequest& request) {
  absl::Status status = FirstOf({rpc::ValidateId(request.request_id(), "request_id"),
                                 rpc::ValidateId(request.quote_id(), "quote_id"),
                                 CheckText(request.rider_name(), kMaxNameBytes, "rider_name"),
                                 CheckText(request.note(), kMaxTextBytes, "note")});
  if (!status.ok()) return status;
  return RequestCommand{std::move(trip_id),          RiderId(rider.id),    request.request_id(),
                        QuoteId(request.quote_id()), request.rider_name(), request.note()};
}

absl::StatusOr<Command> ToCommand(const rpc::Caller& caller, const v1::CancelTripRequest& request) {
  absl::Status status =
      FirstOf({rpc::ValidateId(request.request_id(), "request_id"),
               rpc::ValidateId(request.trip_id(), "trip_id"),
               CheckEnum(request.reason(), v1::CancelReason_IsValid(request.reason()), "reason"),
               CheckText(request.comment(), kMaxTextBytes, "comment")});
  if (!status.ok()) return status;
  if (request.reason() == v1::CANCEL_REASON_NO_SHOW) {
    return absl::InvalidArgumentError("reason: NO_SHOW is set only where a driver releases a trip");
  }
  const bool by_service = caller.kind == rpc::CallerKind::kService;
  return CancelCommand{.trip_id = TripId(request.trip_id()),
                       .rider = RiderId(by_service ? "" : caller.id),
                       .reason = request.reason(),
                       .comment = request.comment(),
                       .request_id = request.request_id(),
                       .service = by_service ? caller.id : ""};
}

absl::StatusOr<ChangeDestinationCommand> ToCommand(const rpc::Caller& rider,
                                                   const v1::ChangeDestinationRequest& request) {
  absl::Status status =
      FirstOf({rpc::ValidateId(request.request_id(), "request_id"),
               rpc::ValidateId(request.trip_id(), "trip_id"),
               CheckPlace(request.has_dropoff() ? &request.dropoff() : nullptr, "dropoff")});
  if (!status.ok()) return status;
  return ChangeDestinationCommand{TripId(request.trip_id()),
                                  RiderId(rider.id),
                                  request.request_id(),
                                  ToLatLng(request.dropoff()),
                                  {}};
}

absl::StatusOr<Command> ToCommand(const v1::AssignTripRequest& request) {
  absl::Status status =
      FirstOf({rpc::ValidateId(request.trip_id(), "trip_id"),
               rpc::ValidateId(request.offer_id(), "offer_id"), CheckDriver(request)});
  if (!status.ok()) return status;
  return AssignCommand{TripId(request.trip_id()), OfferId(request.offer_id()), request.driver(),
                       request.seats(), DriverId(request.from_driver_id())};
}

absl::StatusOr<Command> ToCommand(const v1::AdvanceTripRequest& request) {
  absl::Status status = FirstOf({rpc::ValidateId(request.trip_id(), "trip_id"),
                                 rpc::ValidateId(request.driver_id(), "driver_id")});
  if (!status.ok()) return status;
  switch (request.to()) {
    case v1::TRIP_STATE_ARRIVED:
    case v1::TRIP_STATE_ABOARD:
    case v1::TRIP_STATE_COMPLETED:
      return AdvanceCommand{TripId(request.trip_id()), DriverId(request.driver_id()), request.to()};
    default:
      return absl::InvalidArgumentError(
          fmt::format("to: must be ARRIVED, ABOARD or COMPLETED, is {}", StateName(request.to())));
  }
}

absl::StatusOr<Command> ToCommand(const v1::ReleaseTripRequest& request) {
  absl::Status status =
      FirstOf({rpc::ValidateId(request.trip_id(), "trip_id"),
               rpc::ValidateId(request.driver_id(), "driver_id"),
               CheckEnum(request.reason(), v1::ReleaseReason_IsValid(request.reason()), "reason"),
               CheckText(request.note(), kMaxTextBytes, "note")});
  if (!status.ok()) return status;
  if (request.reason() == v1::RELEASE_REASON_REASSIGNED) {
    return absl::InvalidArgumentError("reason: REASSIGNED is set only by AssignTrip");
  }
  return ReleaseCommand{TripId(request.trip_id()), DriverId(request.driver_id()), request.reason(),
                        request.note()};
}

absl::StatusOr<Command> ToCommand(const v1::GiveUpTripRequest& request) {
  if (absl::Status status = rpc::ValidateId(request.trip_id(), "trip_id"); !status.ok()) {
    return status;
  }
  return GiveUpCommand{TripId(request.trip_id())};
}

absl::StatusOr<Command> ToCommand(const v1::ReportDriverLostRequest& request) {
  absl::Status status = FirstOf({rpc::ValidateId(request.trip_id(), "trip_id"),
                                 rpc::ValidateId(request.driver_id(), "driver_id")});
  if (!status.ok()) return status;
  return DriverLostCommand{TripId(request.trip_id()), DriverId(request.driver_id()),
                           request.lost()};
}

}  // namespace ridestream::trip
