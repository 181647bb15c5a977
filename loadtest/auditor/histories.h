#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "loadtest/auditor/verdict.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::loadtest {

/// An offer as its driver saw it.
struct OfferHistory {
  enum class Answer { kNone, kAccept, kDecline };
  OfferId offer_id;
  TripId trip_id;
  Time decided_at;
  Answer answer = Answer::kNone;
  /// Number of OfferEnded messages. An answer that comes after the end gets the same end again.
  int ends = 0;
  dispatch::v1::OfferOutcome outcome = dispatch::v1::OFFER_OUTCOME_UNSPECIFIED;
  /// The session was lost, which ended the offer too.
  bool voided = false;
  /// Number of times that the answer was sent: it is repeated after a resume until its effect has
  /// been seen.
  int answers = 0;
  bool ends_differ = false;
};

/// A driver's steps for a trip that it sent.
struct DrivenTrip {
  TripId trip_id;
  bool arrived = false, picked_up = false, dropped_off = false;
};

/// What one driver saw and did, recorded by the driver. The driver itself checks the rules that
/// only it can check, message by message: `violations`. Grows by about 150 bytes per offer.
struct DriverHistory {
  static constexpr size_t kKeptViolations = 8;

  DriverId id;
  std::uint32_t seats = 0;
  /// Somebody else has taken over the car; later events are not part of this history.
  bool taken_over = false;
  std::uint64_t welcomes = 0;
  std::uint64_t pushes = 0;
  std::uint64_t plans = 0;
  /// Number of plans that were replaced before they were acked, which is permitted.
  std::uint64_t plans_replaced = 0;
  std::uint64_t plan_version = 0;
  std::uint64_t acked_plan_version = 0;
  /// Number of suggested waiting places, and of those that the driver followed.
  std::uint64_t waiting_places = 0;
  std::uint64_t waiting_places_followed = 0;
  /// Most seats taken at once, by the plans.
  std::uint32_t most_seats_taken = 0;
  std::vector<OfferHistory> offers;
  std::vector<DrivenTrip> trips;
  /// The trips in the driver's plans.
  std::vector<TripId> planned;
  std::vector<Violation> violations;
  std::uint64_t violation_count = 0;

  void Violated(Check check, std::string text) {
    ++violation_count;
    if (violations.size() < kKeptViolations) violations.push_back({check, std::move(text)});
  }
  void SawInPlan(const TripId& trip_id) {
    if (std::find(planned.rbegin(), planned.rend(), trip_id) == planned.rend()) {
      planned.push_back(trip_id);
    }
  }
  DrivenTrip& Driven(const TripId& trip_id) {
    for (auto trip = trips.rbegin(); trip != trips.rend(); ++trip) {
      if (trip->trip_id == trip_id) return *trip;
    }
    return trips.emplace_back(DrivenTrip{.trip_id = trip_id});
  }
};

/// What one rider requested and received, recorded by the rider. About 400 bytes.
struct RiderHistory {
  static constexpr size_t kKeptStates = 32;

  RiderId id;
  /// A final refusal of the quote or the request, which also counts as an answer.
  std::optional<std::string> refusal;
  /// The trip in the first answer, and the number of answers that named another trip.
  TripId trip_id;
  std::uint64_t answers = 0;
  std::uint64_t other_trip_answers = 0;
  /// In minor units: the quoted fare, and the current fare after the latest change of destination.
  std::optional<std::int64_t> quoted_minor;
  std::int64_t fare_minor = 0;
  std::uint64_t destination_changes = 0;
  /// A change was sent and not answered, so either fare may be in force.
  bool fare_uncertain = false;
  /// States in the order seen, without repeats in a row; the first kKeptStates and the last one.
  std::vector<trip::v1::TripState> states;
  bool states_dropped = false;
  /// Comes with the quote if the rider shares.
  std::optional<trip::v1::Promise> promise;
  /// The rider was notified that the promise is broken.
  bool notified_broken = false;
  /// The rider's cancellation was confirmed.
  bool cancelled = false;

  void Saw(trip::v1::TripState state) {
    if (!states.empty() && states.back() == state) return;
    if (states.size() == kKeptStates) {
      states_dropped = true;
      states.back() = state;
    } else {
      states.push_back(state);
    }
  }
};

}  // namespace ridestream::loadtest
