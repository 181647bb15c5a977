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

/// Figures of the rides.
struct RideFigures {
  std::uint64_t shared_trips = 0;
  std::uint64_t broken_promises = 0;
  /// Trips aboard, averaged over the time in which cars were occupied.
  double riders_per_car = 0;
  /// Number of drivers' steps on record, and of those that contradict the positions of their cars.
  std::uint64_t steps = 0;
  std::uint64_t implausible_steps = 0;
};

/// Compares what the riders saw, what the drivers saw and did, and what trip has on record.
///
/// Call order: all riders and drivers, the log of the run, the list of trips, then Judge. Log and
/// list may contain riders and drivers of other load generators in the same market; those are
/// judged only by the record itself. Not thread-safe.
class Auditor {
 public:
  Auditor() : book_(verdict_) {}
  Auditor(const Auditor&) = delete;
  Auditor& operator=(const Auditor&) = delete;

  void AddRider(RiderHistory history);
  /// A driver who was taken over isn't judged, because its knowledge of its trips is out of date.
  void AddDriver(DriverHistory history);
  /// Number of positions that our drivers sent, and of those seen in the index. Call after
  /// AddDriver.
  void AddPositions(std::uint64_t sent, std::uint64_t indexed);
  /// Adds an entry of the log; call in order.
  void AddEvent(const trip::v1::TripEvent& event);
  /// A trip of the list.
  void AddListed(const trip::v1::Trip& trip);
  /// Reports that the record couldn't be read, so nothing in it was checked.
  void OnUnreadableRecord(const std::string& why);

  /// Whether the input is complete. For a whole city, a check without anything to check is a
  /// violation.
  enum class Extent { kWhole, kPart };
  /// Call once, last.
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

/// Whether a fare follows from its tariff: base + per_km * length + per_minute * duration, each
/// part rounded half up, with the surge and the discount for sharing.
bool IsTariffsSum(const trip::v1::Fare& fare);

}  // namespace ridestream::loadtest
