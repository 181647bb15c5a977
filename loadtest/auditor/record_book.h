#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "loadtest/auditor/verdict.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::loadtest {

/// The time that a trip spent with one driver.
struct Assignment {
  DriverId driver_id;
  OfferId offer_id;
  /// When the driver lost the trip; Time::max() if it kept the trip.
  Time released_at = Time::max();
};

/// A summary of a trip's events in the log: about 400 bytes, however many events there are.
struct TripRecord {
  static constexpr size_t kKeptStates = 64;

  RiderId rider_id;
  /// Whether the record starts with the first event; false for a trip that is older than the part
  /// of the log that was read.
  bool whole = false;
  std::uint64_t version = 0;
  trip::v1::TripState state = trip::v1::TRIP_STATE_UNSPECIFIED;
  /// In order, without repeats in a row; the first kKeptStates.
  std::vector<trip::v1::TripState> states;
  std::vector<Assignment> assignments;
  std::uint32_t party_size = 0;
  std::int64_t first_fare_minor = 0;
  trip::v1::Fare fare;
  std::string cancelled_by;
  /// The first event's promise; set for a rider who shares.
  std::optional<trip::v1::Promise> promise;
  /// Times of the states that the trip reached; Time::max() for all others.
  Time requested_at = Time::max();
  Time arrived_at = Time::max();
  Time dropped_off_at = Time::max();

  /// By how much the promise was broken; zero if it was kept.
  Duration Late() const;
};

/// Reads trip's log event by event, summarizes it in one record per trip, and checks what the log
/// shows by itself: transitions, and one driver per trip. Not thread-safe.
class RecordBook {
 public:
  explicit RecordBook(Verdict& verdict) : verdict_(verdict) {}

  /// Call in the log's order. Events that are read again are recognized by their sequence.
  void OnEvent(const trip::v1::TripEvent& event);

  const TripRecord* Find(const TripId& trip_id) const;
  const absl::flat_hash_map<TripId, TripRecord>& trips() const { return trips_; }

 private:
  void CheckTransition(const TripRecord& record, const trip::v1::TripEvent& event);
  void CheckCancellation(const TripRecord& record, const trip::v1::Trip& trip);
  void CheckTimes(const trip::v1::Trip& trip);
  void CheckDriver(TripRecord& record, const trip::v1::TripEvent& event);
  void CheckPromise(const TripRecord& record, const trip::v1::Trip& trip);

  Verdict& verdict_;
  std::uint64_t sequence_ = 0;
  absl::flat_hash_map<TripId, TripRecord> trips_;
};

/// Whether the state machine has this transition; from a state to itself is a change of
/// destination.
bool IsLegalTransition(trip::v1::TripState from, trip::v1::TripState to);

}  // namespace ridestream::loadtest
