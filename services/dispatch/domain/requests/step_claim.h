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

/// A driver's word that it made a step of a trip, with what is known of its car.
struct StepClaim {
  trip::v1::TripState to = trip::v1::TRIP_STATE_UNSPECIFIED;
  /// From the last good position to where the car stops, in metres at least; nothing without a
  /// position.
  std::optional<double> from_stop_m = std::nullopt;
  /// How old that position is.
  Duration position_age{};
  /// Since the driver said that the rider got in; nothing if that isn't known.
  std::optional<Duration> since_pickup = std::nullopt;
  /// Between the places where the car stops for the pick-up and for the drop-off, in metres at
  /// least.
  double ride_m = 0;
};

/// A step that `driver` reports about a trip of its plan.
StepClaim MakeClaim(const Driver& driver, const OpenTrip& open, trip::v1::TripState to, Time now);

struct StepVerdict {
  trip::v1::StepPlausibility plausibility = trip::v1::STEP_PLAUSIBILITY_UNSPECIFIED;
  /// What the verdict was made from, see trip::v1::ImplausibleStep.
  std::uint32_t distance_m = 0;
};

/// No car drives faster (250 km/h), in metres a second, …
inline constexpr double kFastestCarMPerS = 70;
/// … and a position is no further off than this, in metres.
inline constexpr double kPositionSlackM = 250;

/// Whether a car can have done that. In doubt it can: a wrong refusal would stop a driver who is
/// beside the rider.
StepVerdict Judge(const StepClaim& claim);

bool IsImplausible(trip::v1::StepPlausibility plausibility);
/// The error for a driver whose step is refused as implausible: FAILED_PRECONDITION.
absl::Status RefusalOf(const StepVerdict& verdict);

}  // namespace ridestream::dispatch
