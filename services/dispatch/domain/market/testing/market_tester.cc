#include "services/dispatch/domain/market/testing/market_tester.h"

#include <fmt/format.h>

#include <algorithm>

namespace ridestream::dispatch {

RouteFound::Way MakeWay(LatLng from, const std::vector<LatLng>& stops) {
  RouteFound::Way way;
  way.route.add_lat_e7(from.lat_e7);
  way.route.add_lng_e7(from.lng_e7);
  Duration so_far{0};
  for (const LatLng stop : stops) {
    way.route.add_lat_e7(stop.lat_e7 - from.lat_e7);
    way.route.add_lng_e7(stop.lng_e7 - from.lng_e7);
    way.route.add_piece_ms(100'000);
    from = stop;
    so_far += std::chrono::seconds(100);
    way.to_stop.push_back(so_far);
  }
  return way;
}

MarketConfig MarketTester::TestConfig() {
  MarketConfig config;
  config.market = MarketId("test");
  config.offer_id_prefix = "o-";
  return config;
}

MarketTester::MarketTester(bool caught_up, const MarketConfig& config)
    : config_(config), market_(std::make_unique<Market>(config)) {
  if (caught_up) Handle(LogCaughtUp{});
}

void MarketTester::Handle(const Event& event) {
  for (Decision& decision : market_->Handle(event, now_)) {
    const auto* round = std::get_if<FindCandidates>(&decision);
    if (round == nullptr || !round->queries.empty() || keeps_searches) {
      decisions_.push_back(std::move(decision));
    } else {
      Handle(CandidatesFound{round->round, std::vector<CandidatesFound::ForTrip>()});
    }
  }
}

void MarketTester::Pass(Duration duration) {
  const Time until = now_ + duration;
  while (market_->NextWake() && *market_->NextWake() <= until) {
    now_ = std::max(now_, *market_->NextWake());
    Handle(Wake{});
  }
  now_ = until;
}

void MarketTester::Restart() {
  config_.offer_id_prefix = fmt::format("life-{}-", ++lives_);
  market_ = std::make_unique<Market>(config_);
  decisions_.clear();
  delivered_ = trips.OldestOpen();
}

void MarketTester::Request(const std::string& trip, std::uint32_t party_size) {
  trips.Request(trip, kPickup, kDropoff, now_, party_size);
  DeliverLog();
}

void MarketTester::RequestShared(const std::string& trip, std::uint32_t party_size) {
  trips.RequestShared(trip, kPickup, kDropoff, now_, party_size);
  DeliverLog();
}

void MarketTester::DeliverLog() {
  for (; delivered_ < trips.log().size(); ++delivered_) Handle(TripLogged{trips.log()[delivered_]});
}

std::size_t MarketTester::CarryOut() {
  const auto commands = Take<TripCommand>();
  for (const TripCommand& command : commands) {
    Handle(CommandDone{command.command, trips.Do(command.request)});
  }
  return commands.size();
}

void MarketTester::FailCommand(const absl::Status& status) {
  Handle(CommandDone{Take<TripCommand>().at(0).command, status});
}

void MarketTester::Connect(const std::string& driver, std::uint32_t seats) {
  DriverConnected event{DriverId(driver), ++last_epoch_, false, {}};
  event.hello.set_name("Driver " + driver);
  event.hello.set_seats(seats);
  event.hello.set_accepts_insertions(true);
  Handle(event);
}

void MarketTester::Reconnect(const std::string& driver, bool resumed, std::uint64_t plan_version) {
  DriverConnected event{DriverId(driver), ++last_epoch_, resumed, {}};
  event.hello.set_name("Driver " + driver);
  event.hello.set_seats(4);
  event.hello.mutable_resume()->set_plan_version(plan_version);
  Handle(event);
}

void MarketTester::Answer(const std::string& driver, const v1::Offer& offer, bool accept) {
  OfferAnswered event{DriverId(driver), {}};
  event.answer.set_offer_id(offer.offer_id());
  event.answer.set_accept(accept);
  Handle(event);
}

void MarketTester::Update(const std::string& driver, const std::string& trip,
                          v1::StopAction action) {
  StopUpdated event{DriverId(driver), {}};
  event.update.set_trip_id(trip);
  event.update.set_action(action);
  Handle(event);
}

void MarketTester::GiveUp(const std::string& driver, const std::string& trip, v1::GiveUpCause cause,
                          const std::string& reason) {
  TripGivenUp event{DriverId(driver), {}};
  event.give_up.set_cause(cause);
  event.give_up.set_reason(reason);
  event.give_up.set_trip_id(trip);
  Handle(event);
}

void MarketTester::Move(const std::string& driver, LatLng position) {
  Handle(DriverMoved{DriverId(driver), position});
}

void MarketTester::AnswerRound(const std::vector<std::string>& drivers) {
  const FindCandidates round = Take<FindCandidates>().back();
  std::vector<CandidatesFound::ForTrip> answers;
  for (const auto& query : round.queries) {
    auto& answer = answers.emplace_back();
    answer.trip = query.trip;
    Duration away = std::chrono::seconds(60);
    for (const std::string& driver : drivers) {
      answer.candidates.push_back({DriverId(driver), kCar, away});
      away += std::chrono::seconds(1);
    }
  }
  Handle(CandidatesFound{round.round, std::move(answers)});
}

void MarketTester::AnswerRoute() {
  const FindRoute request = Take<FindRoute>().back();
  Handle(RouteFound{request.driver, request.request, MakeWay(request.from, request.stops)});
}

v1::Offer MarketTester::OfferTrip(const std::string& trip, const std::string& driver) {
  Request(trip);
  AnswerRound({driver});
  return Offers(driver).at(0);
}

void MarketTester::AssignTrip(const std::string& trip, const std::string& driver) {
  Answer(driver, OfferTrip(trip, driver), true);
  CarryOut();
  DeliverLog();
  AnswerRoute();
  TakeAll();
}

std::vector<v1::DriveResponse> MarketTester::TakePushes(const std::string& driver,
                                                        v1::DriveResponse::MessageCase kind) {
  std::vector<v1::DriveResponse> taken;
  std::erase_if(decisions_, [&](Decision& decision) {
    auto* push = std::get_if<Push>(&decision);
    if (push == nullptr || push->driver != DriverId(driver) || push->message.message_case() != kind)
      return false;
    taken.push_back(std::move(push->message));
    return true;
  });
  return taken;
}

std::vector<v1::Offer> MarketTester::Offers(const std::string& driver) {
  std::vector<v1::Offer> offers;
  for (auto& push : TakePushes(driver, v1::DriveResponse::kOffer)) offers.push_back(push.offer());
  return offers;
}

std::vector<v1::OfferOutcome> MarketTester::Outcomes(const std::string& driver) {
  std::vector<v1::OfferOutcome> outcomes;
  for (auto& push : TakePushes(driver, v1::DriveResponse::kOfferEnded)) {
    outcomes.push_back(push.offer_ended().outcome());
  }
  return outcomes;
}

std::vector<v1::Plan> MarketTester::Plans(const std::string& driver) {
  std::vector<v1::Plan> plans;
  for (auto& push : TakePushes(driver, v1::DriveResponse::kPlan)) plans.push_back(push.plan());
  return plans;
}

std::vector<v1::WaitingPlace> MarketTester::WaitingPlaces(const std::string& driver) {
  std::vector<v1::WaitingPlace> places;
  for (auto& push : TakePushes(driver, v1::DriveResponse::kWaitingPlace)) {
    places.push_back(push.waiting_place());
  }
  return places;
}

std::vector<v1::Rejected> MarketTester::Rejections(const std::string& driver) {
  std::vector<v1::Rejected> rejections;
  for (auto& push : TakePushes(driver, v1::DriveResponse::kRejected)) {
    rejections.push_back(push.rejected());
  }
  return rejections;
}

}  // namespace ridestream::dispatch
