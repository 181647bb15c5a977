#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "loadtest/auditor/histories.h"
#include "loadtest/auditor/record_book.h"
#include "loadtest/auditor/verdict.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::loadtest {

/// What came of the rides.
struct RideFigures {
  std::uint64_t shared_trips = 0;
  std::uint64_t broken_promises = 0;
  /// Trips aboard, averaged over the time in which cars were occupied.
  double riders_per_car = 0;
  /// Steps of drivers on record, and those that don't agree with where their cars were seen.
  std::uint64_t steps = 0;
  std::uint64_t implausible_steps = 0;
};

/// Compares what the riders saw, what the drivers saw and did, and what trip has on record.
///
/// Feed it in this order: all riders and drivers, the log of the run, the list of trips; then ask
/// for the verdict. Riders and drivers of other load generators in the same market may be in log
/// and list: of them only what the record tells by itself is judged. Not thread-safe.
class Auditor {
 public:
  Auditor() : book_(verdict_) {}
  Auditor(const Auditor&) = delete;
  Auditor& operator=(const Auditor&) = delete;

  void AddRider(RiderHistory history);
  /// One that was taken over isn't judged: what it knows of its trips is out of date.
  void AddDriver(DriverHistory history);
  /// Positions that left our drivers, and those that were seen in the index. After the drivers.
  void AddPositions(std::uint64_t sent, std::uint64_t indexed);
  /// An entry of the log, in order.
  void AddEvent(const trip::v1::TripEvent& event);
  /// A trip of the list.
  void AddListed(const trip::v1::Trip& trip);
  /// The record couldn't be read, so nothing of it was checked.
  void NoRecord(const std::string& why);

  /// Whether what it was fed has everything in it: of a whole city, a check that looked at nothing
  /// is a violation.
  enum class Extent { kWhole, kPart };
  /// Once, last.
  const Verdict& Judge(Extent extent = Extent::kWhole);
  RideFigures rides() const;

 private:
  void JudgeRider(const RiderHistory& rider);
  void JudgeFare(const RiderHistory& rider, const TripRecord& record);
  void JudgeSightings(const RiderHistory& rider, const TripRecord& record);
  void JudgeDriver(const DriverHistory& driver);
  void JudgeOffer(const DriverHistory& driver, const OfferHistory& offer);
  void JudgeTrip(const TripId& trip_id, const TripRecord& record);
  void CheckDeed(const trip::v1::TripEvent& event);
  void JudgePromise(const RiderHistory& rider, const TripRecord& record);
  void CountRide(const trip::v1::TripEvent& event, trip::v1::TripState before);
  void CountStep(const trip::v1::Trip& trip);
  void CountSeats(const trip::v1::TripEvent& event, trip::v1::TripState before);

  Verdict verdict_;
  RecordBook book_;
  absl::flat_hash_map<RiderId, RiderHistory> riders_;
  absl::flat_hash_map<DriverId, DriverHistory> drivers_;
  absl::flat_hash_map<DriverId, std::uint32_t> seats_taken_;
  struct Occupancy {
    int trips = 0;
    Time since;
  };
  absl::flat_hash_map<DriverId, Occupancy> occupancy_;
  Duration occupied_{}, ridden_{};
  std::uint64_t steps_ = 0, implausible_steps_ = 0;
  bool any_taken_over_ = false;
  absl::flat_hash_map<RiderId, int> trips_of_rider_;
  absl::flat_hash_map<TripId, bool> listed_;
};

/// base + per_km * length + per_minute * duration, each part rounded half up, with the surge and
/// the discount of who shares: whether a fare is the sum that its tariff asks for.
bool IsTariffsSum(const trip::v1::Fare& fare);

}  // namespace ridestream::loadtest
