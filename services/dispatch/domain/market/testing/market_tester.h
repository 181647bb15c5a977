#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/domain/market/testing/fake_trips.h"

namespace ridestream::dispatch {

/// A market in which a test plays all the others: drivers, location, streets and the trip service.
/// Decisions are collected until the test takes them.
class MarketTester {
 public:
  static constexpr LatLng kPickup{407'500'000, -739'800'000};
  static constexpr LatLng kDropoff{407'600'000, -739'700'000};
  static constexpr LatLng kCar{407'450'000, -739'850'000};

  static MarketConfig TestConfig();

  /// Caught up with an empty log unless told otherwise.
  explicit MarketTester(bool caught_up = true, const MarketConfig& config = TestConfig());

  void Handle(const Event& event);
  /// Lets time pass: each timer fires at its own time.
  void Pass(Duration duration);
  Time now() const { return now_; }
  /// The process dies and a new one begins, which knows nothing.
  void Restart();

  // The trip service.
  FakeTrips trips{"test"};
  void Request(const std::string& trip, std::uint32_t party_size = 1);
  /// Requests a trip of a rider who shares.
  void RequestShared(const std::string& trip, std::uint32_t party_size = 1);
  /// Delivers the events of the log that the market has not received.
  void DeliverLog();
  /// Carries out all commands decided so far; returns how many. The log stays unpushed.
  std::size_t CarryOut();
  /// Answers the only command without having carried it out.
  void FailCommand(const absl::Status& status);

  // Drivers.
  void Connect(const std::string& driver, std::uint32_t seats = 4);
  void Reconnect(const std::string& driver, bool resumed, std::uint64_t plan_version = 0);
  void Answer(const std::string& driver, const v1::Offer& offer, bool accept);
  void Update(const std::string& driver, const std::string& trip, v1::StopAction action);
  void GiveUp(const std::string& driver, const std::string& trip,
              v1::GiveUpCause cause = v1::GIVE_UP_CAUSE_UNSPECIFIED,
              const std::string& reason = "");
  void Move(const std::string& driver, LatLng position = kCar);

  // Location and the streets.
  /// Otherwise rounds for moves alone find none, at once.
  bool keeps_searches = false;
  /// Answers the newest round: each trip asked about may have each of these, 60 s away and more.
  void AnswerRound(const std::vector<std::string>& drivers);
  /// Answers the newest request of the driver: 100 s to each stop from the one before.
  void AnswerRoute();

  // Longer ways.
  /// A new trip is offered to the driver.
  v1::Offer OfferTrip(const std::string& trip, const std::string& driver);
  /// A new trip is the driver's, its plan with a route was pushed and all decisions taken.
  void AssignTrip(const std::string& trip, const std::string& driver);

  // Decisions.
  template <class T>
  std::vector<T> Take() {
    std::vector<T> taken;
    std::erase_if(decisions_, [&](Decision& decision) {
      auto* found = std::get_if<T>(&decision);
      if (found != nullptr) taken.push_back(std::move(*found));
      return found != nullptr;
    });
    return taken;
  }
  void TakeAll() { decisions_.clear(); }
  // What the driver was pushed, kind by kind; takes it out.
  std::vector<v1::Offer> Offers(const std::string& driver);
  std::vector<v1::OfferOutcome> Outcomes(const std::string& driver);
  std::vector<v1::Plan> Plans(const std::string& driver);
  std::vector<v1::Rejected> Rejections(const std::string& driver);
  std::vector<v1::WaitingPlace> WaitingPlaces(const std::string& driver);
  Market& market() { return *market_; }

 private:
  std::vector<v1::DriveResponse> TakePushes(const std::string& driver,
                                            v1::DriveResponse::MessageCase kind);

  MarketConfig config_;
  Time now_ = ScaledClock::kAnchor;
  std::uint64_t last_epoch_ = 0;
  int lives_ = 0;
  std::unique_ptr<Market> market_;
  std::size_t delivered_ = 0;
  std::vector<Decision> decisions_;
};

/// A straight route in which each stop is 100 s behind the one before.
RouteFound::Way MakeWay(LatLng from, const std::vector<LatLng>& stops);

}  // namespace ridestream::dispatch
