#include "services/dispatch/domain/market/testing/market_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/offers/offers.h"
#include "services/dispatch/domain/trips/trip_book.h"

namespace ridestream::dispatch {
namespace {

/// Whether Rejected.code in the proto lists the code.
bool IsListed(v1::RejectionCode code) {
  return v1::RejectionCode_IsValid(code) && code != v1::REJECTION_CODE_UNSPECIFIED;
}

/// Whether the riders fit at each stop. A party that is larger than the car doesn't count.
bool FitsIn(std::uint32_t seats, const v1::Plan& plan) {
  std::uint32_t aboard = 0;
  std::set<std::string> waiting;
  for (const v1::Stop& stop : plan.stops()) {
    if (stop.kind() == v1::STOP_KIND_PICK_UP) waiting.insert(stop.trip_id());
  }
  for (const v1::Stop& stop : plan.stops()) {
    if (!waiting.contains(stop.trip_id())) aboard += stop.passenger().party_size();
  }
  for (const v1::Stop& stop : plan.stops()) {
    const std::uint32_t party = stop.passenger().party_size();
    if (stop.kind() == v1::STOP_KIND_DROP_OFF) {
      aboard -= party;
    } else if ((aboard += party) > seats && party <= seats) {
      return false;
    }
  }
  return true;
}

}  // namespace

void MarketChecker::Before(const Event& event, Time now) {
  now_ = now;
  std::visit([this](const auto& e) { Note(e); }, event);
}

void MarketChecker::After(const std::vector<Decision>& decisions) {
  for (const Decision& decision : decisions) {
    std::visit([this](const auto& d) { Check(d); }, decision);
  }
  CheckPromises();
}

/// A rider is notified of a broken promise when the promised time is over, if not before.
void MarketChecker::CheckPromises() {
  if (!caught_up_) return;
  for (const auto& [trip, due] : due_) {
    Expect(now_ <= due || notified_late_.contains(trip),
           fmt::format("the rider of {} is late and was not notified", trip));
  }
}

void MarketChecker::Restarted() {
  caught_up_ = false;
  offers_.clear();
  declined_.clear();
  trips_.clear();
  due_.clear();
  notified_late_.clear();
  commands_.clear();
  judged_commands_.clear();
  round_.reset();
  for (auto& [id, driver] : drivers_) {
    driver.has_session = driver.connected = driver.suspect = false;
    driver.epoch = 0;
    driver.versions_lost = true;
    driver.route_id = 0;
    driver.availability.reset();
  }
}

std::optional<OfferId> MarketChecker::OpenOfferOf(const DriverId& driver) const {
  for (const auto& [id, offer] : offers_) {
    if (offer.driver == driver && !offer.outcome && !offer.unseen) return id;
  }
  return std::nullopt;
}

bool MarketChecker::IsPresent(const DriverId& driver) const {
  const auto found = drivers_.find(driver);
  return found != drivers_.end() && found->second.connected && !found->second.suspect;
}

// Events that the market is given.

void MarketChecker::Note(const DriverConnected& event) {
  SeenDriver& driver = drivers_[event.driver];
  if (event.epoch < driver.epoch) return;
  driver.has_session = driver.connected = true;
  driver.suspect = false;
  driver.epoch = event.epoch;
  driver.seats = event.hello.seats();
  driver.accepts_insertions = event.hello.accepts_insertions();
  driver.availability.reset();
  if (!event.resumed) driver.route_id = 0;
  if (std::exchange(driver.versions_lost, false)) {
    driver.plan.set_version(event.hello.resume().plan_version());
  }
}

void MarketChecker::Note(const DriverDisconnected& event) {
  SeenDriver& driver = drivers_[event.driver];
  if (driver.epoch == event.epoch) driver.connected = false;
}

void MarketChecker::Note(const DriverSuspect& event) { drivers_[event.driver].suspect = true; }

void MarketChecker::Note(const DriverHeard& event) { drivers_[event.driver].suspect = false; }

void MarketChecker::Note(const SessionDropped& event) {
  SeenDriver& driver = drivers_[event.driver];
  driver.has_session = driver.connected = false;
  driver.suspect = true;
  driver.epoch = 0;
  driver.versions_lost = true;
  for (auto& [id, offer] : offers_) {
    if (offer.driver != event.driver) continue;
    offer.unseen = true;
    if (!offer.accepted && !offer.outcome) offer.outcome = v1::OFFER_OUTCOME_WITHDRAWN;
  }
}

void MarketChecker::Note(const OfferAnswered& event) {
  const auto offer = offers_.find(OfferId(event.answer.offer_id()));
  if (offer == offers_.end() || offer->second.driver != event.driver || offer->second.accepted ||
      offer->second.outcome) {
    return;
  }
  if (event.answer.accept()) {
    offer->second.accepted = true;
  } else {
    declined_[offer->second.trip].insert(event.driver);
  }
}

void MarketChecker::Note(const TripLogged& event) { NoteTrip(event.event.trip()); }

void MarketChecker::Note(const CommandDone& event) {
  commands_.erase(event.command);
  if (event.trip.ok()) NoteTrip(*event.trip);
}

void MarketChecker::Note(const CandidatesFound& event) {
  if (round_ && round_->first == event.round) round_.reset();
}

void MarketChecker::NoteTrip(const trip::v1::Trip& trip) {
  const TripId id(trip.trip_id());
  trip::v1::Trip& known = trips_[id];
  if (trip.version() <= known.version()) return;
  if (trip.driver().driver_id() != known.driver().driver_id()) notified_late_.erase(id);
  known = trip;
  if (!trip.has_promise() || !trip.has_driver() || IsEnded(trip.state())) {
    due_.erase(id);
  } else {
    due_[id] = FromProto(trip.state() == trip::v1::TRIP_STATE_ASSIGNED
                             ? trip.promise().latest_pickup_at()
                             : trip.promise().latest_dropoff_at());
  }
}

// What it decides.

void MarketChecker::Check(const SendWelcome& decision) {
  if (decision.snapshot.has_plan()) CheckPlan(decision.driver, decision.snapshot.plan());
  if (decision.snapshot.has_offer()) {
    const auto offer = offers_.find(OfferId(decision.snapshot.offer().offer_id()));
    Expect(offer != offers_.end() && !offer->second.outcome,
           fmt::format("snapshot of {} holds an offer that isn't open", decision.driver));
    ++seen_["offer in a snapshot"];
  }
}

void MarketChecker::Check(const Push& decision) {
  Expect(drivers_[decision.driver].has_session,
         fmt::format("{} was pushed something without a session", decision.driver));
  switch (decision.message.message_case()) {
    case v1::DriveResponse::kOffer:
      Expect(decision.message.offer().driver_id() == decision.driver.str(), "another's offer");
      CheckOffer(decision.driver, decision.message.offer());
      break;
    case v1::DriveResponse::kOfferEnded:
      CheckOfferEnded(decision.driver, decision.message.offer_ended());
      break;
    case v1::DriveResponse::kPlan:
      Expect(decision.message.plan().driver_id() == decision.driver.str(), "another's plan");
      CheckPlan(decision.driver, decision.message.plan());
      break;
    case v1::DriveResponse::kRejected:
      ++seen_["rejected"];
      Expect(!decision.message.rejected().message().empty(), "a rejection without a reason");
      Expect(IsListed(decision.message.rejected().code()),
             fmt::format("a rejection with the code {}",
                         static_cast<int>(decision.message.rejected().code())));
      break;
    case v1::DriveResponse::kWaitingPlace: {
      const SeenDriver& driver = drivers_[decision.driver];
      Expect(driver.connected && !driver.suspect && !OpenOfferOf(decision.driver) &&
                 TripsOf(decision.driver).empty(),
             fmt::format("{} is to wait somewhere and isn't free", decision.driver));
      ++seen_["waiting place"];
      break;
    }
    default:
      Expect(false, "a push that isn't the market's");
  }
}

void MarketChecker::Check(const EndSession& decision) {
  Expect(TripsOf(decision.driver).empty(),
         fmt::format("driver {} is sent home with a trip", decision.driver));
  ++seen_["end of a session"];
}

void MarketChecker::Check(const SetSurge& decision) {
  for (const auto& [cell, percent] : decision.cells) {
    Expect(percent > 100 && percent <= DemandConfig().surge_cap_percent,
           fmt::format("a surge of {} %", percent));
  }
  ++seen_["surge"];
}

void MarketChecker::CheckOffer(const DriverId& id, const v1::Offer& message) {
  const SeenDriver& driver = drivers_[id];
  const TripId trip_id(message.trip_id());
  const trip::v1::Trip& trip = trips_[trip_id];
  const auto& released = trip.released_driver_ids();
  const std::string who = fmt::format("offer {} of {} to {}: ", message.offer_id(), trip_id, id);
  Expect(caught_up_, who + "before the log was read");
  Expect(driver.connected && !driver.suspect, who + "the driver isn't there");
  Expect(!OpenOfferOf(id), who + "the driver has an open offer");
  Expect(TripsOf(id).empty(), who + "the driver has a trip");
  Expect(driver.seats >= trip.passenger().party_size(), who + "too few seats");
  Expect(!HasOpenOffer(trip_id), who + "the trip has an open offer");
  Expect(trip.state() == trip::v1::TRIP_STATE_REQUESTED, who + "the trip doesn't wait");
  Expect(!declined_[trip_id].contains(id), who + "the driver declined it");
  Expect(std::find(released.begin(), released.end(), id.str()) == released.end(),
         who + "the driver lost it");
  const bool is_new =
      offers_.try_emplace(OfferId(message.offer_id()), SeenOffer{id, trip_id}).second;
  Expect(is_new, who + "an id twice");
  ++seen_["offer"];
}

void MarketChecker::CheckOfferEnded(const DriverId& id, const v1::OfferEnded& ended) {
  const auto it = offers_.find(OfferId(ended.offer_id()));
  const std::string outcome = v1::OfferOutcome_Name(ended.outcome());
  if (it == offers_.end()) {
    Expect(ended.outcome() == v1::OFFER_OUTCOME_WITHDRAWN ||
               ended.outcome() == v1::OFFER_OUTCOME_ACCEPTED,
           fmt::format("unknown offer {} ended {}", ended.offer_id(), outcome));
    ++seen_["unknown offer"];
    return;
  }
  SeenOffer& offer = it->second;
  if (offer.driver != id) {
    Expect(ended.outcome() == v1::OFFER_OUTCOME_WITHDRAWN,
           fmt::format("{} was sent how offer {} of another ended", id, ended.offer_id()));
    return;
  }
  int& offers_ended = drivers_[id].offers_ended;
  if (offer.outcome) {
    const bool forgotten =
        offer.unseen || offers_ended - offer.ended_as >= static_cast<int>(Offers::kEndedRemembered);
    Expect(ended.outcome() == *offer.outcome ||
               (forgotten && ended.outcome() == v1::OFFER_OUTCOME_WITHDRAWN),
           fmt::format("offer {} ended twice, then {}", ended.offer_id(), outcome));
    ++seen_["answer to an ended offer"];
    return;
  }
  offer.outcome = ended.outcome();
  offer.ended_as = ++offers_ended;
  ++seen_[outcome];
}

void MarketChecker::CheckPlan(const DriverId& id, const v1::Plan& plan) {
  SeenDriver& driver = drivers_[id];
  const std::string which = fmt::format("plan {} of {}: ", plan.version(), id);
  Expect(plan.version() > driver.plan.version(), which + "not newer than the one before");
  std::set<std::string> trips;
  for (const v1::Stop& stop : plan.stops()) {
    trips.insert(stop.trip_id());
    const trip::v1::Trip& trip = trips_[TripId(stop.trip_id())];
    if (stop.kind() == v1::STOP_KIND_PICK_UP) {
      Expect(trip.state() < trip::v1::TRIP_STATE_ABOARD, which + "the rider is aboard already");
      Expect(stop.arrived() == (trip.state() == trip::v1::TRIP_STATE_ARRIVED), which + "arrived");
    } else {
      Expect(stop.place().lat_e7() == trip.dropoff().lat_e7(), which + "an old destination");
    }
  }
  Expect(trips == TripsOf(id), which + "its trips aren't those that the driver has");
  Expect(FitsIn(driver.seats, plan), which + "more would be aboard than there are seats");
  if (plan.has_route()) {
    driver.route_id = plan.route_id();
    Expect(plan.route_id() != 0, which + "a route without an id");
  } else {
    Expect(plan.route_id() == 0 || plan.route_id() == driver.route_id,
           which + "a route that the driver doesn't have");
  }
  driver.plan = plan;
  ++seen_[v1::PlanCause_Name(plan.cause())];
}

void MarketChecker::Check(const SetAvailability& decision) {
  std::optional<SetAvailability>& availability = drivers_[decision.driver].availability;
  Expect(!availability || availability->state != decision.state ||
             availability->free_seats != decision.free_seats ||
             availability->wants_positions != decision.wants_positions,
         fmt::format("location was sent the same availability of {} twice", decision.driver));
  availability = decision;
  if (decision.state == location::v1::DRIVER_STATE_OFFLINE) availability.reset();
  ++seen_[location::v1::DriverState_Name(decision.state)];
}

void MarketChecker::Check(const FindCandidates& decision) {
  Expect(caught_up_, "a round before the log was read");
  Expect(!round_ || now_ >= round_->second + Matchmaker::kRoundPatience,
         fmt::format("round {} while another is in flight", decision.round));
  round_ = {decision.round, now_};
  Expect(!decision.queries.empty() || !decision.moves.empty(), "a round that asks nothing");
  for (const auto& query : decision.queries) {
    Expect(
        trips_[query.trip].state() == trip::v1::TRIP_STATE_REQUESTED && !HasOpenOffer(query.trip),
        fmt::format("candidates for {}, which doesn't wait", query.trip));
  }
}

void MarketChecker::Check(const TripCommand& decision) {
  const TripId trip = TripOf(decision.request);
  for (const auto& [command, other] : commands_) {
    Expect(other != trip, fmt::format("two commands about {} at once", trip));
  }
  commands_[decision.command] = trip;
  // Sent again, since its outcome is open: what it relied on may have changed since.
  if (!judged_commands_.insert(decision.command).second) return;
  ++seen_[fmt::format("command {}", decision.request.index())];
  const auto* assign = std::get_if<trip::v1::AssignTripRequest>(&decision.request);
  if (assign != nullptr && !offers_.contains(OfferId(assign->offer_id()))) CheckInsertion(*assign);
}

/// Without an offer only riders who share get a driver, who agreed to it and drives others who
/// share.
void MarketChecker::CheckInsertion(const trip::v1::AssignTripRequest& request) {
  const DriverId id(request.driver().driver_id());
  const SeenDriver& driver = drivers_[id];
  const trip::v1::Trip& trip = trips_[TripId(request.trip_id())];
  const auto& released = trip.released_driver_ids();
  const bool moves = !request.from_driver_id().empty();
  const std::string which = fmt::format("insertion of {} at {}: ", request.trip_id(), id);
  Expect(trip.has_promise(), which + "the rider doesn't share");
  Expect(driver.accepts_insertions, which + "the driver hasn't agreed");
  const std::set<std::string> company = TripsOf(id);
  Expect(std::all_of(company.begin(), company.end(),
                     [&](const auto& other) { return trips_[TripId(other)].has_promise(); }),
         which + "others in the car don't share");
  Expect(trip.passenger().party_size() <= driver.seats, which + "too few seats");
  Expect(std::find(released.begin(), released.end(), id.str()) == released.end(),
         which + "the driver lost it");
  Expect(!declined_[TripId(request.trip_id())].contains(id), which + "the driver declined it");
  Expect(!moves || request.from_driver_id() != id.str(), which + "it is there");
  ++seen_[moves ? "move" : "insertion"];
}

void MarketChecker::Check(const StepJudged& decision) {
  Expect(trips_[decision.trip].driver().driver_id() == decision.driver.str(),
         fmt::format("{} says a step of {}, which is another's", decision.driver, decision.trip));
  const std::string& name = trip::v1::StepPlausibility_Name(decision.plausibility);
  ++seen_["step " + name.substr(std::string_view("STEP_PLAUSIBILITY_").size())];
}

void MarketChecker::Check(const ReportProgress& decision) {
  const trip::v1::Trip& trip = trips_[TripId(decision.progress.trip_id())];
  Expect(trip.has_driver() && !IsEnded(trip.state()),
         fmt::format("progress of {}, which has no driver", decision.progress.trip_id()));
  ++seen_[trip::v1::DriverStatus_Name(decision.progress.progress().driver_status())];
  const TripId id(decision.progress.trip_id());
  if (decision.progress.progress().promise_broken()) {
    if (notified_late_.insert(id).second) ++seen_["notified that it will be late"];
  } else {
    Expect(!notified_late_.contains(id), fmt::format("{} was late and is said not to be", id));
  }
}

void MarketChecker::Expect(bool condition, const std::string& violation) {
  if (!condition) violations_.push_back(violation);
}

bool MarketChecker::HasOpenOffer(const TripId& trip) const {
  return std::any_of(offers_.begin(), offers_.end(), [&](const auto& entry) {
    return entry.second.trip == trip && !entry.second.outcome && !entry.second.unseen;
  });
}

std::set<std::string> MarketChecker::TripsOf(const DriverId& driver) const {
  std::set<std::string> trips;
  for (const auto& [id, trip] : trips_) {
    if (trip.driver().driver_id() == driver.str() && !IsEnded(trip.state())) trips.insert(id.str());
  }
  return trips;
}

}  // namespace ridestream::dispatch
