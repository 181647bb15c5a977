#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/base/id.h"
#include "loadtest/auditor/record_book.h"
#include "loadtest/auditor/verdict.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/trip/domain/lease.h"
#include "tests/sim/context.h"

namespace ridestream::sim {

/// Checks invariants of trips on each entry of the log when it becomes durable, and compares
/// whatever trip sends with what is durable. Not thread-safe.
class RecordChecker {
 public:
  explicit RecordChecker(Context& context) : context_(context), book_(verdict_) {}

  void AddDriver(const DriverId& driver, std::uint32_t seats) { seats_[driver] = seats; }

  /// An entry became durable.
  void OnDurable(const trip::v1::TripEvent& event);
  /// A process has the lease of the market.
  void OnLeaseHeld(const trip::Lease& lease);
  /// A command in this term changed a trip.
  void OnChangedInTerm(std::uint64_t term, const trip::v1::TripEvent& event);
  /// Trip sends a trip to a client.
  void OnSent(const trip::v1::Trip& trip);

  const std::vector<trip::v1::TripEvent>& log() const { return log_; }
  /// How often each kind of event about sharing was seen.
  const std::map<std::string, std::uint64_t>& seen() const { return seen_; }
  const std::map<TripId, trip::v1::Trip>& trips() const { return trips_; }

 private:
  void CheckRider(const trip::v1::Trip& trip);
  void CheckSeats(const DriverId& driver);
  void CheckPromise(const TripId& id);
  void CountSharing(const trip::v1::TripEvent& event);
  /// Number of the driver's open trips except this one; with `aboard`, only those aboard.
  std::int64_t CountOthers(const trip::v1::Trip& trip, bool aboard) const;

  Context& context_;
  trip::Lease lease_;  // The newest.
  loadtest::Verdict verdict_;
  loadtest::RecordBook book_;
  std::size_t violations_passed_on_ = 0;
  std::map<DriverId, std::uint32_t> seats_;
  std::map<TripId, trip::v1::Trip> trips_;
  std::map<RiderId, TripId> open_of_rider_;
  std::vector<trip::v1::TripEvent> log_;
  std::set<TripId> late_;
  std::map<std::string, std::uint64_t> seen_;
};

}  // namespace ridestream::sim
