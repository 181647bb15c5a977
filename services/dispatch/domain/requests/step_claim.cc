#include "services/dispatch/domain/requests/step_claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

/// Maximum distance that a car can have driven.
double MaxDrivenM(Duration time) {
  return kFastestCarMPerS * std::max(0.0, std::chrono::duration<double>(time).count());
}

StepVerdict Verdict(trip::v1::StepPlausibility plausibility, double distance_m) {
  return {plausibility, static_cast<std::uint32_t>(std::lround(distance_m))};
}

}  // namespace

StepClaim MakeClaim(const Driver& driver, const OpenTrip& open, trip::v1::TripState to, Time now) {
  StepClaim claim{.to = to};
  if (driver.position) {
    const auto stop =
        to == trip::v1::TRIP_STATE_COMPLETED ? v1::STOP_KIND_DROP_OFF : v1::STOP_KIND_PICK_UP;
    claim.from_stop_m =
        driver.plan.DistanceToStop(TripId(open.trip.trip_id()), stop, *driver.position);
    claim.position_age = now - driver.positioned_at;
  }
  if (open.picked_up_at) claim.since_pickup = now - *open.picked_up_at;
  const double ride_m = DistanceM(FromProto(open.trip.pickup()), FromProto(open.trip.dropoff()));
  claim.ride_m = std::max(0.0, ride_m - 2 * DriverPlan::kStopWithinM);
  return claim;
}

StepVerdict Judge(const StepClaim& claim) {
  using namespace trip::v1;  // NOLINT(google-build-using-namespace): the values of one enum.
  if (claim.to == TRIP_STATE_COMPLETED && claim.since_pickup &&
      claim.ride_m > MaxDrivenM(*claim.since_pickup)) {
    return Verdict(STEP_PLAUSIBILITY_TOO_SOON, claim.ride_m);
  }
  if (!claim.from_stop_m) return Verdict(STEP_PLAUSIBILITY_UNCHECKED, 0);
  if (*claim.from_stop_m > kPositionSlackM + MaxDrivenM(claim.position_age)) {
    return Verdict(STEP_PLAUSIBILITY_FAR_FROM_STOP, *claim.from_stop_m);
  }
  return Verdict(STEP_PLAUSIBILITY_PLAUSIBLE, *claim.from_stop_m);
}

bool IsImplausible(trip::v1::StepPlausibility plausibility) {
  return plausibility == trip::v1::STEP_PLAUSIBILITY_FAR_FROM_STOP ||
         plausibility == trip::v1::STEP_PLAUSIBILITY_TOO_SOON;
}

absl::Status RefusalOf(const StepVerdict& verdict) {
  if (verdict.plausibility == trip::v1::STEP_PLAUSIBILITY_TOO_SOON) {
    return absl::FailedPreconditionError(
        fmt::format("stop_update: the drop-off is at least {} m from the pick-up, which is too far "
                    "for the time since; send the step again after you arrive",
                    verdict.distance_m));
  }
  return absl::FailedPreconditionError(
      fmt::format("stop_update: your car was seen at least {} m from this stop; send the step "
                  "again after you arrive and sent your position",
                  verdict.distance_m));
}

}  // namespace ridestream::dispatch
