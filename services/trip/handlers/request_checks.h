#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/identity/principal.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/trip/domain/commands.h"
#include "services/trip/domain/lease.h"

namespace ridestream::trip {

// Converts requests to commands or parts of them, and validates each field. INVALID_ARGUMENT names
// the path of the first invalid field.

inline constexpr std::uint32_t kMaxPartySize = 8;
inline constexpr std::uint32_t kMaxSeats = 8;
inline constexpr int kMaxFollowedMarkets = 64;
inline constexpr int kMaxProgressEntries = 4'096;
inline constexpr std::uint32_t kMaxPageSize = 200;
inline constexpr std::uint32_t kDefaultPageSize = 50;

absl::Status CheckRequest(const v1::QuoteTripRequest& request);
absl::Status CheckRequest(const v1::ListTripsRequest& request);
absl::Status CheckRequest(const v1::FollowTripsRequest& request);
absl::Status CheckReport(const v1::ReportProgressRequest& report);

/// `trip_id`: id of the new trip.
absl::StatusOr<Command> ToCommand(const identity::Principal& rider, TripId trip_id,
                                  const v1::RequestTripRequest& request);
/// `caller`: a rider, or a caller who may cancel any trip.
absl::StatusOr<Command> ToCommand(const identity::Principal& caller,
                                  const v1::CancelTripRequest& request);
/// Without the fare.
absl::StatusOr<ChangeDestinationCommand> ToCommand(const identity::Principal& rider,
                                                   const v1::ChangeDestinationRequest& request);
absl::StatusOr<Command> ToCommand(const v1::AssignTripRequest& request);
absl::StatusOr<Command> ToCommand(const v1::AdvanceTripRequest& request);
absl::StatusOr<Command> ToCommand(const v1::ReleaseTripRequest& request);
absl::StatusOr<Command> ToCommand(const v1::GiveUpTripRequest& request);
absl::StatusOr<Command> ToCommand(const v1::ReportDriverLostRequest& request);

/// `rate`: rate of the clock that judges leases, relative to the callers' wall clock.
absl::StatusOr<LeaseCommand> ToLeaseCommand(const v1::AcquireLeaseRequest& request, double rate);
absl::StatusOr<LeaseCommand> ToLeaseCommand(const v1::RenewLeaseRequest& request, double rate);
absl::StatusOr<LeaseCommand> ToLeaseCommand(const v1::ReleaseLeaseRequest& request, double rate);

}  // namespace ridestream::trip
