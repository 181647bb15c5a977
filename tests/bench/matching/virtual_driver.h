#pragma once

#include <cstdint>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/geo.h"
#include "libs/base/id.h"
#include "loadtest/auditor/histories.h"
#include "loadtest/base/random.h"
#include "loadtest/demand/demand.h"
#include "loadtest/driver/car.h"
#include "loadtest/driver/itinerary.h"
#include "loadtest/driver/offer_responder.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"

namespace ridestream::bench {

/// What a car drove.
struct Mileage {
  double empty_m = 0;
  double occupied_m = 0;
  /// Metres multiplied by the number of trips aboard.
  double trip_m = 0;
};

/// A driver without an app: the simulated city's car, itinerary and offer responder, in virtual
/// time and without sessions. Parks where the last rider got out. Not thread-safe.
class VirtualDriver {
 public:
  /// The messages that the driver sends.
  struct Messages {
    std::vector<dispatch::v1::OfferAnswer> answers;
    std::vector<dispatch::v1::StopUpdate> steps;
  };

  /// `offers` must outlive it.
  VirtualDriver(DriverId id, const loadtest::FleetPlace& start,
                const loadtest::OfferResponder::Habits& offers,
                const loadtest::Itinerary::Options& stops, loadtest::Random random, Time now);

  void OnMessage(const dispatch::v1::DriveResponse& message, Time now);
  Messages OnTime(Time now);
  /// When OnTime is due; Time::max() for never.
  Time wake_at() const;

  const DriverId& id() const { return id_; }
  std::uint32_t seats() const { return seats_; }
  LatLng place() const { return car_.place(); }
  const Mileage& mileage() const { return mileage_; }
  /// The history of the protocol by the simulated driver's checks.
  const loadtest::DriverHistory& history() const { return history_; }

 private:
  void DriveTo(Time now);

  const DriverId id_;
  const std::uint32_t seats_;
  loadtest::Random random_;
  loadtest::Car car_;
  loadtest::OfferResponder offers_;
  loadtest::Itinerary itinerary_;
  loadtest::DriverHistory history_;
  Mileage mileage_;
  Time driven_to_;
  int trips_aboard_ = 0;
};

}  // namespace ridestream::bench
