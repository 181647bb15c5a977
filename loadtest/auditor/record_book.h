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

/// A trip's time with one driver.
struct Assignment {
  DriverId driver_id;
  OfferId offer_id;
  /// When the trip was taken from the driver again; Time::max() if it wasn't.
  Time released_at = Time::max();
};

/// The log's events of a trip, folded: about 400 bytes, whatever happens to it.
struct TripRecord {
  static constexpr size_t kKeptStates = 64;

  RiderId rider_id;
  /// From the first event on; false for a trip that is older than the log's part that was read.
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
  /// As far as the trip came; Time::max() if it didn't.
  Time requested_at = Time::max();
  Time arrived_at = Time::max();
  Time dropped_off_at = Time::max();

  /// By how much a promise was broken, if one was.
  Duration Late() const;
};

/// Reads trip's log, event by event, folds it into one record a trip, and judges what the log tells
/// by itself: transitions, one driver a trip. Not thread-safe.
class RecordBook {
 public:
  explicit RecordBook(Verdict& verdict) : verdict_(verdict) {}

  /// In the log's order. Repeats (of a log that was read again) are known by their sequence.
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

/// Whether the state machine has this step; a step from a state to itself is a change of the
/// destination.
bool IsLegalTransition(trip::v1::TripState from, trip::v1::TripState to);

}  // namespace ridestream::loadtest
