#include "services/dispatch/domain/market/testing/market_simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "services/dispatch/domain/events/decision_bytes.h"
#include "services/dispatch/domain/market/testing/market_tester.h"
#include "services/dispatch/domain/trips/trip_book.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

template <class T>
T TakeOut(std::vector<T>& from, std::size_t index) {
  T taken = std::move(from[index]);
  from.erase(from.begin() + static_cast<std::ptrdiff_t>(index));
  return taken;
}

}  // namespace

MarketSimulation::MarketSimulation(std::uint64_t seed) : random_(seed) { Crash(); }

LatLng MarketSimulation::Somewhere() {
  return {407'000'000 + Below(1'000'000), -740'000'000 + Below(1'000'000)};
}

void MarketSimulation::Feed(const Event& event) {
  checker_.Before(event, now_);
  const auto decisions = market_->Handle(event, now_);
  checker_.After(decisions);
  for (const Decision& decision : decisions) {
    AppendBytes(decision, transcript_);
    if (const auto* command = std::get_if<TripCommand>(&decision)) commands_.push_back(*command);
    if (const auto* round = std::get_if<FindCandidates>(&decision)) rounds_.push_back(*round);
    if (const auto* route = std::get_if<FindRoute>(&decision)) routes_.push_back(*route);
  }
  for (const Decision& decision : decisions) {
    if (const auto* end = std::get_if<EndSession>(&decision)) Drop(end->driver);
  }
}

void MarketSimulation::Pass(Duration duration) {
  const Time until = now_ + duration;
  while (market_->NextWake() && *market_->NextWake() <= until) {
    now_ = std::max(now_, *market_->NextWake());
    Feed(Wake{});
  }
  now_ = until;
}

void MarketSimulation::Crash() {
  MarketConfig config = MarketTester::TestConfig();
  config.offer_id_prefix = fmt::format("o-{}-", ++lives_);
  market_ = std::make_unique<Market>(config);
  checker_.Restarted();
  commands_.clear();
  rounds_.clear();
  routes_.clear();
  for (DriverLife& driver : drivers_) driver.has_session = false;
  delivered_ = followed_from_ = trips_.OldestOpen();
  caught_up_ = false;
  transcript_ += "crash\n";
}

// Disorder.

void MarketSimulation::Disturb() {
  Pass(milliseconds(Below(Chance(10) ? 20'000 : 500)));
  if (Chance(3)) Survey();
  const int what = Below(1'000);
  if (what < 100) {
    RiderActs();
  } else if (what < 300) {
    DeliverLog(1 + static_cast<std::size_t>(Below(3)));
  } else if (what < 400) {
    StreamActs();
  } else if (what < 600) {
    DriverActs();
  } else if (what < 650) {
    DriverErrs();
  } else if (what < 760) {
    if (!commands_.empty()) {
      AnswerCommand(static_cast<std::size_t>(Below(static_cast<int>(commands_.size()))),
                    Chance(70));
    }
  } else if (what < 880) {
    AnswerRound(Chance(85));
  } else if (what < 990) {
    if (!routes_.empty()) {
      AnswerRoute(static_cast<std::size_t>(Below(static_cast<int>(routes_.size()))), Chance(85));
    }
  } else if (what < 998) {
    AssignBehindTheBack();
  } else {
    Crash();
  }
}

void MarketSimulation::Survey() {
  FleetSurveyed survey;
  for (std::size_t i = 0; i < drivers_.size(); ++i) {
    if (drivers_[i].has_session)
      survey.drivers.push_back({DriverId(fmt::format("d-{}", i)), Somewhere()});
  }
  Feed(survey);
}

void MarketSimulation::RiderActs() {
  if (last_trip_ == 0 || Chance(60)) {
    const std::string id = fmt::format("t-{}", ++last_trip_);
    const auto party_size = static_cast<std::uint32_t>(1 + Below(4));
    const LatLng pickup = Somewhere(), dropoff = Somewhere();
    if (Chance(50)) {
      trips_.RequestShared(id, pickup, dropoff, now_, party_size, seconds(60 + Below(600)),
                           seconds(700 + Below(900)));
    } else {
      trips_.Request(id, pickup, dropoff, now_, party_size);
    }
  } else if (Chance(50)) {
    trips_.Cancel(SomeTrip()).status().IgnoreError();
  } else {
    trips_.ChangeDestination(SomeTrip(), Somewhere()).status().IgnoreError();
  }
}

void MarketSimulation::DeliverLog(std::size_t events) {
  const auto& log = trips_.log();
  for (; events > 0 && delivered_ < log.size(); --events) Feed(TripLogged{log[delivered_++]});
  if (delivered_ == log.size() && (!caught_up_ || Chance(5))) {
    caught_up_ = true;
    Feed(LogCaughtUp{});
  }
  if (delivered_ > followed_from_ && Chance(10)) {
    // A repeat of something that was delivered in this life of the market.
    const std::size_t back = std::min<std::size_t>(delivered_ - followed_from_, 20);
    Feed(TripLogged{log[delivered_ - 1 - random_() % back]});
  }
}

void MarketSimulation::Connect(const DriverId& id, bool resume) {
  DriverLife& driver = drivers_[static_cast<std::size_t>(std::stoi(id.str().substr(2)))];
  DriverConnected event{id, ++driver.epoch, resume && driver.has_session, {}};
  event.hello.set_name("Driver " + id.str());
  event.hello.set_seats(4);
  event.hello.set_accepts_insertions(true);
  event.hello.mutable_resume()->set_plan_version(checker_.PlanOf(id).version());
  driver.has_session = true;
  Feed(event);
}

void MarketSimulation::Drop(const DriverId& id) {
  drivers_[static_cast<std::size_t>(std::stoi(id.str().substr(2)))].has_session = false;
  Feed(SessionDropped{id});
}

void MarketSimulation::StreamActs() {
  const DriverId id = SomeDriver();
  DriverLife& driver = drivers_[static_cast<std::size_t>(std::stoi(id.str().substr(2)))];
  switch (Below(10)) {
    case 0:
      Feed(DriverDisconnected{id, driver.epoch - static_cast<std::uint64_t>(Chance(20) ? 1 : 0)});
      break;
    case 1:
      Feed(DriverSuspect{id});
      break;
    case 2:
    case 3:
      if (driver.has_session) Feed(DriverHeard{id});
      break;
    case 4:
      Drop(id);
      break;
    case 5:
      if (driver.has_session) Feed(ShiftEnded{id, driver.epoch});
      break;
    default:
      Connect(id, Chance(80));
  }
}

void MarketSimulation::DriverActs() {
  const DriverId id = SomeDriver();
  if (!drivers_[static_cast<std::size_t>(std::stoi(id.str().substr(2)))].has_session) return;
  Feed(DriverMoved{id, Somewhere()});
  if (checker_.OpenOfferOf(id)) {
    if (Chance(70)) AnswerOffer(id, Chance(70));
  } else {
    DriveOn(id);
  }
}

void MarketSimulation::DriverErrs() {
  const DriverId id = SomeDriver();
  switch (Below(3)) {
    case 0: {
      OfferAnswered event{id, {}};
      event.answer.set_offer_id(fmt::format("o-{}-{}", 1 + Below(lives_), 1 + Below(50)));
      event.answer.set_accept(Chance(50));
      Feed(event);
      break;
    }
    case 1: {
      StopUpdated event{id, {}};
      event.update.set_trip_id(SomeTrip());
      event.update.set_action(static_cast<v1::StopAction>(Below(4)));
      Feed(event);
      break;
    }
    default: {
      TripGivenUp event{id, {}};
      event.give_up.set_trip_id(SomeTrip());
      Feed(event);
    }
  }
}

void MarketSimulation::AssignBehindTheBack() {
  trip::v1::AssignTripRequest request;
  request.set_trip_id(SomeTrip());
  request.set_offer_id(fmt::format("foreign-{}", random_()));
  request.mutable_driver()->set_driver_id(SomeDriver().str());
  if (last_trip_ > 0) trips_.Do(request).status().IgnoreError();
}

// What everybody does.

void MarketSimulation::AnswerOffer(const DriverId& driver, bool accept) {
  OfferAnswered event{driver, {}};
  event.answer.set_offer_id(checker_.OpenOfferOf(driver)->str());
  event.answer.set_accept(accept);
  Feed(event);
}

void MarketSimulation::DriveOn(const DriverId& driver) {
  const v1::Plan& plan = checker_.PlanOf(driver);
  if (plan.stops().empty()) return;
  const v1::Stop& stop = plan.stops(0);
  StopUpdated event{driver, {}};
  event.update.set_trip_id(stop.trip_id());
  if (stop.kind() == v1::STOP_KIND_DROP_OFF) {
    event.update.set_action(v1::STOP_ACTION_DROPPED_OFF);
  } else {
    event.update.set_action(stop.arrived() ? v1::STOP_ACTION_PICKED_UP : v1::STOP_ACTION_ARRIVED);
  }
  Feed(event);
}

void MarketSimulation::AnswerCommand(std::size_t which, bool well) {
  const TripCommand command = TakeOut(commands_, which);
  CommandDone done{command.command, absl::UnavailableError("trip is away")};
  if (well || Chance(50)) {
    auto result = trips_.Do(command.request);
    if (well) done.trip = std::move(result);  // Otherwise it was done, and the answer is lost.
  }
  Feed(done);
}

void MarketSimulation::AnswerRound(bool well) {
  if (rounds_.empty()) return;
  const FindCandidates round = TakeOut(rounds_, 0);
  if (!well) {
    Feed(CandidatesFound{round.round, absl::UnavailableError("location is away")});
    return;
  }
  std::vector<CandidatesFound::ForTrip> answers;
  for (const auto& query : round.queries) {
    auto& answer = answers.emplace_back();
    answer.trip = query.trip;
    for (int i = 0; i <= kDrivers; ++i) {  // One whom the market has never seen.
      answer.candidates.push_back(
          {DriverId(fmt::format("d-{}", i)), Somewhere(), seconds(Below(5))});
    }
    if (query.shared) answer.insertions = SomeInsertions(round);
  }
  CandidatesFound found{round.round, std::move(answers)};
  for (const FindCandidates::Move& move : round.moves) {
    found.moves.push_back({move.trip, seconds(Below(200)), SomeInsertions(round)});
  }
  Feed(found);
}

std::vector<InsertionFound> MarketSimulation::SomeInsertions(const FindCandidates& round) {
  std::vector<InsertionFound> found;
  for (const SharedCar& car : round.cars) {
    if (Chance(50)) continue;
    InsertionFound& somewhere = found.emplace_back();
    somewhere.driver = car.driver;
    somewhere.plan_revision = car.plan_revision;
    somewhere.insertion.dropoff_after =
        static_cast<std::size_t>(Below(static_cast<int>(car.car.stops.size()) + 1));
    somewhere.insertion.pickup_after =
        static_cast<std::size_t>(Below(static_cast<int>(somewhere.insertion.dropoff_after) + 1));
    somewhere.insertion.added = seconds(Below(200));
    somewhere.insertion.cost = seconds(Below(500));
    somewhere.insertion.pickup_at = now_ + seconds(Below(300));
  }
  return found;
}

void MarketSimulation::AnswerRoute(std::size_t which, bool well) {
  const FindRoute request = TakeOut(routes_, which);
  RouteFound found{request.driver, request.request, absl::NotFoundError("no way")};
  if (well) found.way = MakeWay(request.from, request.stops);
  Feed(found);
}

// Calm.

std::string MarketSimulation::OpenTrips() const {
  std::string open;
  for (const auto& [id, trip] : trips_.all()) {
    if (!IsEnded(trip.state())) open += trip.ShortDebugString() + "\n";
  }
  return open;
}

void MarketSimulation::Calm() {
  for (int i = 0; i < kDrivers; ++i) Connect(DriverId(fmt::format("d-{}", i)), true);
  for (int second = 0; second < 3'600; ++second) {
    DeliverLog(trips_.log().size());
    if (OpenTrips().empty()) break;
    while (!commands_.empty()) AnswerCommand(0, true);
    while (!rounds_.empty()) AnswerRound(true);
    while (!routes_.empty()) AnswerRoute(0, true);
    for (int i = 0; i < kDrivers; ++i) {
      const DriverId driver(fmt::format("d-{}", i));
      Feed(DriverMoved{driver, Somewhere()});
      if (checker_.OpenOfferOf(driver)) {
        AnswerOffer(driver, true);
      } else {
        DriveOn(driver);
      }
    }
    Pass(seconds(1));
  }
}

}  // namespace ridestream::dispatch
