#include "services/dispatch/record/record_codec.h"

#include <fmt/format.h>
#include <zlib.h>

#include <optional>
#include <utility>
#include <variant>

namespace ridestream::dispatch {
namespace {

std::int64_t Us(Time time) { return time.time_since_epoch().count(); }
std::int64_t Us(Duration duration) { return duration.count(); }
Time TimeOf(std::int64_t us) { return Time(Duration(us)); }

void EncodeError(const absl::Status& status, record::Error& error) {
  error.set_code(static_cast<std::int32_t>(status.code()));
  error.set_message(std::string(status.message()));
}

absl::Status DecodeError(const record::Error& error) {
  return absl::Status(static_cast<absl::StatusCode>(error.code()), error.message());
}

void EncodeAt(const DriverId& driver, LatLng place, record::Moved& moved) {
  moved.set_driver(driver.str());
  moved.set_lat_e7(place.lat_e7);
  moved.set_lng_e7(place.lng_e7);
}

LatLng PlaceOf(const record::Moved& moved) { return {moved.lat_e7(), moved.lng_e7()}; }

void EncodeInsertion(const InsertionFound& found, record::Insertion& message) {
  const Insertion& insertion = found.insertion;
  message.set_driver(found.driver.str());
  message.set_plan_revision(found.plan_revision);
  message.set_pickup_after(insertion.pickup_after);
  message.set_dropoff_after(insertion.dropoff_after);
  message.set_added(Us(insertion.added));
  message.set_pickup_at(Us(insertion.pickup_at));
  message.set_dropoff_at(Us(insertion.dropoff_at));
  message.set_cost(Us(insertion.cost));
}

InsertionFound DecodeInsertion(const record::Insertion& message) {
  return {.driver = DriverId(message.driver()),
          .plan_revision = message.plan_revision(),
          .insertion = {.pickup_after = message.pickup_after(),
                        .dropoff_after = message.dropoff_after(),
                        .added = Duration(message.added()),
                        .pickup_at = TimeOf(message.pickup_at()),
                        .dropoff_at = TimeOf(message.dropoff_at()),
                        .cost = Duration(message.cost())}};
}

template <class Messages>
std::vector<InsertionFound> DecodeInsertions(const Messages& messages) {
  std::vector<InsertionFound> insertions;
  for (const record::Insertion& message : messages) insertions.push_back(DecodeInsertion(message));
  return insertions;
}

/// Puts each kind of event into its field.
class EventEncoder {
 public:
  explicit EventEncoder(record::Event& message) : message_(message) {}

  void operator()(const DriverConnected& event) {
    record::Connected& connected = *message_.mutable_connected();
    connected.set_driver(event.driver.str());
    connected.set_epoch(event.epoch);
    connected.set_resumed(event.resumed);
    *connected.mutable_hello() = event.hello;
  }
  void operator()(const DriverDisconnected& event) {
    EncodeEpoch(event.driver, event.epoch, *message_.mutable_disconnected());
  }
  void operator()(const DriverSuspect& event) { message_.set_suspect_driver(event.driver.str()); }
  void operator()(const DriverHeard& event) { message_.set_heard_driver(event.driver.str()); }
  void operator()(const SessionDropped& event) { message_.set_dropped_driver(event.driver.str()); }
  void operator()(const DriverMoved& event) {
    EncodeAt(event.driver, event.position, *message_.mutable_moved());
  }
  void operator()(const OfferAnswered& event) {
    message_.mutable_answered()->set_driver(event.driver.str());
    *message_.mutable_answered()->mutable_answer() = event.answer;
  }
  void operator()(const StopUpdated& event) {
    message_.mutable_updated()->set_driver(event.driver.str());
    *message_.mutable_updated()->mutable_update() = event.update;
  }
  void operator()(const TripGivenUp& event) {
    message_.mutable_given_up()->set_driver(event.driver.str());
    *message_.mutable_given_up()->mutable_give_up() = event.give_up;
  }
  void operator()(const ShiftEnded& event) {
    EncodeEpoch(event.driver, event.epoch, *message_.mutable_shift_ended());
  }
  void operator()(const TripLogged& event) { *message_.mutable_logged() = event.event; }
  void operator()(const LogCaughtUp&) { message_.mutable_caught_up(); }
  void operator()(const Wake&) { message_.mutable_wake(); }
  void operator()(const CandidatesFound& event) {
    record::Candidates& candidates = *message_.mutable_candidates();
    candidates.set_round(event.round);
    if (event.trips.ok()) {
      for (const auto& trip : *event.trips) EncodeTrip(trip, *candidates.add_trips());
    } else {
      EncodeError(event.trips.status(), *candidates.mutable_error());
    }
    for (const auto& move : event.moves) EncodeMove(move, *candidates.add_moves());
  }
  void operator()(const RouteFound& event) {
    record::Way& way = *message_.mutable_way();
    way.set_driver(event.driver.str());
    way.set_request(event.request);
    if (!event.way.ok()) return EncodeError(event.way.status(), *way.mutable_error());
    *way.mutable_route() = event.way->route;
    for (const Duration duration : event.way->to_stop) way.add_to_stop(Us(duration));
  }
  void operator()(const CommandDone& event) {
    record::Done& done = *message_.mutable_done();
    done.set_command(event.command);
    if (!event.trip.ok()) return EncodeError(event.trip.status(), *done.mutable_error());
    *done.mutable_trip() = *event.trip;
  }
  void operator()(const FleetSurveyed& event) {
    record::Survey& survey = *message_.mutable_survey();
    for (const auto& [driver, position] : event.drivers) {
      EncodeAt(driver, position, *survey.add_drivers());
    }
  }

 private:
  static void EncodeEpoch(const DriverId& driver, std::uint64_t epoch, record::Epoch& message) {
    message.set_driver(driver.str());
    message.set_epoch(epoch);
  }
  static void EncodeTrip(const CandidatesFound::ForTrip& trip,
                         record::Candidates::ForTrip& message) {
    message.set_trip(trip.trip.str());
    for (const Candidate& candidate : trip.candidates) {
      record::Candidate& added = *message.add_candidates();
      EncodeAt(candidate.driver, candidate.position, *added.mutable_driver());
      added.set_travel_time(Us(candidate.travel_time));
    }
    for (const auto& found : trip.insertions) EncodeInsertion(found, *message.add_insertions());
  }
  static void EncodeMove(const CandidatesFound::ForMove& move,
                         record::Candidates::ForMove& message) {
    message.set_trip(move.trip.str());
    message.set_spared(Us(move.spared));
    for (const auto& found : move.insertions) EncodeInsertion(found, *message.add_insertions());
    if (!move.freed) return;
    message.set_freed_for(move.freed->trip.str());
    EncodeInsertion(move.freed->into, *message.mutable_freed_into());
  }

  record::Event& message_;
};

CandidatesFound DecodeCandidates(const record::Candidates& message) {
  CandidatesFound found{.round = message.round(), .trips = std::vector<CandidatesFound::ForTrip>()};
  if (message.has_error()) found.trips = DecodeError(message.error());
  for (const auto& trip : message.trips()) {
    auto& added = found.trips->emplace_back();
    added.trip = TripId(trip.trip());
    for (const auto& candidate : trip.candidates()) {
      added.candidates.push_back({DriverId(candidate.driver().driver()),
                                  PlaceOf(candidate.driver()), Duration(candidate.travel_time())});
    }
    added.insertions = DecodeInsertions(trip.insertions());
  }
  for (const auto& move : message.moves()) {
    auto& added = found.moves.emplace_back();
    added.trip = TripId(move.trip());
    added.spared = Duration(move.spared());
    added.insertions = DecodeInsertions(move.insertions());
    if (!move.has_freed_into()) continue;
    added.freed = {TripId(move.freed_for()), DecodeInsertion(move.freed_into())};
  }
  return found;
}

RouteFound DecodeWay(const record::Way& message) {
  RouteFound found{DriverId(message.driver()), message.request(), RouteFound::Way()};
  if (message.has_error()) {
    found.way = DecodeError(message.error());
    return found;
  }
  found.way->route = message.route();
  for (const std::int64_t us : message.to_stop()) found.way->to_stop.push_back(Duration(us));
  return found;
}

CommandDone DecodeDone(const record::Done& message) {
  if (message.has_error()) return {message.command(), DecodeError(message.error())};
  return {message.command(), message.trip()};
}

FleetSurveyed DecodeSurvey(const record::Survey& message) {
  FleetSurveyed survey;
  for (const auto& driver : message.drivers()) {
    survey.drivers.push_back({DriverId(driver.driver()), PlaceOf(driver)});
  }
  return survey;
}

/// The enumerator of that number; nullopt if there is none.
template <class E>
std::optional<E> EnumOf(std::uint32_t number, E last) {
  if (number > static_cast<std::uint32_t>(last)) return std::nullopt;
  return static_cast<E>(number);
}

/// A message that holds an error code that isn't one would become a status that is OK, and one with
/// an answer beside an error has no meaning.
bool HasValidErrors(const record::Event& message) {
  const auto is_valid = [](const record::Error& error) {
    return error.code() != static_cast<std::int32_t>(absl::StatusCode::kOk);
  };
  const record::Candidates& candidates = message.candidates();
  return (!candidates.has_error() ||
          (is_valid(candidates.error()) && candidates.trips().empty())) &&
         (!message.way().has_error() || is_valid(message.way().error())) &&
         (!message.done().has_error() || is_valid(message.done().error()));
}

}  // namespace

void Encode(const Event& event, record::Event& message) {
  message.Clear();
  std::visit(EventEncoder(message), event);
}

absl::StatusOr<Event> Decode(const record::Event& message) {
  if (!HasValidErrors(message))
    return absl::InvalidArgumentError("has an error without a code, or beside an answer");
  switch (message.what_case()) {
    case record::Event::kConnected:
      return DriverConnected{DriverId(message.connected().driver()), message.connected().epoch(),
                             message.connected().resumed(), message.connected().hello()};
    case record::Event::kDisconnected:
      return DriverDisconnected{DriverId(message.disconnected().driver()),
                                message.disconnected().epoch()};
    case record::Event::kSuspectDriver:
      return DriverSuspect{DriverId(message.suspect_driver())};
    case record::Event::kHeardDriver:
      return DriverHeard{DriverId(message.heard_driver())};
    case record::Event::kDroppedDriver:
      return SessionDropped{DriverId(message.dropped_driver())};
    case record::Event::kMoved:
      return DriverMoved{DriverId(message.moved().driver()), PlaceOf(message.moved())};
    case record::Event::kAnswered:
      return OfferAnswered{DriverId(message.answered().driver()), message.answered().answer()};
    case record::Event::kUpdated:
      return StopUpdated{DriverId(message.updated().driver()), message.updated().update()};
    case record::Event::kGivenUp:
      return TripGivenUp{DriverId(message.given_up().driver()), message.given_up().give_up()};
    case record::Event::kShiftEnded:
      return ShiftEnded{DriverId(message.shift_ended().driver()), message.shift_ended().epoch()};
    case record::Event::kLogged:
      return TripLogged{message.logged()};
    case record::Event::kCaughtUp:
      return LogCaughtUp{};
    case record::Event::kCandidates:
      return DecodeCandidates(message.candidates());
    case record::Event::kWay:
      return DecodeWay(message.way());
    case record::Event::kDone:
      return DecodeDone(message.done());
    case record::Event::kSurvey:
      return DecodeSurvey(message.survey());
    case record::Event::kWake:
      return Wake{};
    case record::Event::WHAT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("has an event that this version doesn't know");
}

record::Settings Encode(const MarketConfig& config) {
  record::Settings settings;
  settings.set_offer_lease(Us(config.offer_lease));
  settings.set_accept_grace(Us(config.accept_grace));
  settings.set_match_every(Us(config.match_every));
  settings.set_matching(static_cast<std::uint32_t>(config.matching));
  settings.set_cost_refusal(Us(config.matching_costs.refusal));
  settings.set_cost_unmatched(Us(config.matching_costs.unmatched));
  settings.set_cost_ageing(config.matching_costs.ageing);
  settings.set_cost_driving(config.matching_costs.driving);
  settings.set_cost_least_gain(Us(config.matching_costs.least_gain));
  settings.set_sharing(static_cast<std::uint32_t>(config.sharing.mode));
  settings.set_dwell_pickup(Us(config.sharing.dwell.pickup));
  settings.set_dwell_dropoff(Us(config.sharing.dwell.dropoff));
  settings.set_sharing_margin(Us(config.sharing.margin));
  settings.set_round_heard_within(Us(config.sharing.round_heard_within));
  settings.set_route_heard_within(Us(config.sharing.route_heard_within));
  settings.set_radius_m(config.radius_m);
  settings.set_max_radius_m(config.max_radius_m);
  settings.set_max_wait(Us(config.max_wait));
  settings.set_price_hold(Us(config.price_hold));
  settings.set_lost_after(Us(config.lost_after));
  settings.set_abandon_after(Us(config.abandon_after));
  settings.set_retry_first(Us(config.command_retry.first));
  settings.set_retry_longest(Us(config.command_retry.longest));
  settings.set_log_patience(Us(config.log_patience));
  settings.set_surge_cap_percent(config.demand.surge_cap_percent);
  settings.set_implausible_steps(static_cast<std::uint32_t>(config.implausible_steps));
  settings.set_offer_id_prefix(config.offer_id_prefix);
  return settings;
}

absl::StatusOr<MarketConfig> Decode(const record::Settings& settings) {
  const auto matching = EnumOf(settings.matching(), MatchingMethod::kAssignment);
  const auto sharing = EnumOf(settings.sharing(), SharingMode::kInsertionAndMoves);
  const auto steps = EnumOf(settings.implausible_steps(), ImplausibleSteps::kRefuse);
  if (!matching || !sharing || !steps) {
    return absl::InvalidArgumentError(fmt::format("has settings that this version doesn't know: {}",
                                                  settings.ShortDebugString()));
  }
  return MarketConfig{
      .offer_lease = Duration(settings.offer_lease()),
      .accept_grace = Duration(settings.accept_grace()),
      .match_every = Duration(settings.match_every()),
      .matching = *matching,
      .matching_costs = {.refusal = Duration(settings.cost_refusal()),
                         .unmatched = Duration(settings.cost_unmatched()),
                         .ageing = settings.cost_ageing(),
                         .driving = settings.cost_driving(),
                         .least_gain = Duration(settings.cost_least_gain())},
      .sharing = {.mode = *sharing,
                  .dwell = {.pickup = Duration(settings.dwell_pickup()),
                            .dropoff = Duration(settings.dwell_dropoff())},
                  .margin = Duration(settings.sharing_margin()),
                  .round_heard_within = Duration(settings.round_heard_within()),
                  .route_heard_within = Duration(settings.route_heard_within())},
      .radius_m = settings.radius_m(),
      .max_radius_m = settings.max_radius_m(),
      .max_wait = Duration(settings.max_wait()),
      .price_hold = Duration(settings.price_hold()),
      .lost_after = Duration(settings.lost_after()),
      .abandon_after = Duration(settings.abandon_after()),
      .command_retry = {Duration(settings.retry_first()), Duration(settings.retry_longest())},
      .log_patience = Duration(settings.log_patience()),
      .demand = {.surge_cap_percent = settings.surge_cap_percent()},
      .implausible_steps = *steps,
      .offer_id_prefix = settings.offer_id_prefix()};
}

std::uint32_t Checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace ridestream::dispatch
