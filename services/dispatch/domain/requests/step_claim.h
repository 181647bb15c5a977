#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/domain/drivers/driver.h"
#include "services/dispatch/domain/trips/trip_book.h"

namespace ridestream::dispatch {

/// How impossible steps are handled.
enum class ImplausibleSteps {
  /// Such steps are carried out, counted and put on the trip's record.
  kCount,
  /// Such steps are refused.
  kRefuse,
};

/// A driver's claim to have made a step of a trip, with what is known about the car.
struct StepClaim {
  trip::v1::TripState to = trip::v1::TRIP_STATE_UNSPECIFIED;
  /// Minimum distance in metres from the last valid position to the stop; nullopt without a
  /// position.
  std::optional<double> from_stop_m = std::nullopt;
  /// Age of that position.
  Duration position_age{};
  /// Time since the driver reported the pick-up; nullopt if unknown.
  std::optional<Duration> since_pickup = std::nullopt;
  /// Minimum distance in metres between the places where the car stops for the pick-up and the
  /// drop-off.
  double ride_m = 0;
};

/// A step that `driver` reports about a trip of its plan.
StepClaim MakeClaim(const Driver& driver, const OpenTrip& open, trip::v1::TripState to, Time now);

struct StepVerdict {
  trip::v1::StepPlausibility plausibility = trip::v1::STEP_PLAUSIBILITY_UNSPECIFIED;
  /// The data behind the verdict, see trip::v1::ImplausibleStep.
  std::uint32_t distance_m = 0;
};

/// Maximum speed of a car in metres per second, 250 km/h, …
inline constexpr double kFastestCarMPerS = 70;
/// … and maximum error of a position in metres.
inline constexpr double kPositionSlackM = 250;

/// Whether a car can have made the step. In doubt it can: a wrong refusal would stop a driver who
/// stands beside the rider.
StepVerdict Judge(const StepClaim& claim);

bool IsImplausible(trip::v1::StepPlausibility plausibility);
/// The error for a driver whose step is refused as implausible: FAILED_PRECONDITION.
absl::Status RefusalOf(const StepVerdict& verdict);

}  // namespace ridestream::dispatch
