#include "services/dispatch/runner/market_runner.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "libs/service/peer_advice.h"
#include "libs/service/service.h"
#include "services/dispatch/runner/push_lines.h"
#include "services/dispatch/runner/trip_times.h"

namespace ridestream::dispatch {
namespace {

constexpr Duration kSurveyEvery = std::chrono::seconds(10);
// A driver may come from out of town, and positions have errors.
constexpr double kAreaMarginM = 20'000;

S2LatLngRect AreaAround(const roads::BoundingBox& streets) {
  const auto corner = [](LatLng place) { return S2LatLng::FromE7(place.lat_e7, place.lng_e7); };
  return S2LatLngRect(corner(streets.south_west), corner(streets.north_east))
      .ExpandedByDistance(S1Angle::Radians(kAreaMarginM / kEarthRadiusM));
}

}  // namespace

MarketRunner::MarketRunner(const Config& config, Ports ports, Dependencies surroundings)
    : market_name_(config.market.market.str()),
      trip_address_(config.trip),
      streets_(std::move(ports.streets)),
      area_(AreaAround(streets_->graph().bounds())),
      dependencies_(std::move(surroundings)),
      observer_(std::move(ports.observer)),
      rides_(std::move(ports.rides)),
      loop_(
          config.market, dependencies_.clock, dependencies_.executor, *this,
          [this](Decision decision) {
            std::visit([this](auto& what) { Do(std::move(what)); }, decision);
          },
          config.max_waiting_events),
      positions_(dependencies_.clock, dependencies_.timers, std::move(ports.open_positions),
                 market_name_),
      planner_(config.planner, market_name_, *streets_, std::move(ports.location),
               dependencies_.executor,
               [this](Event answer) { loop_.PostAlways(std::move(answer)); }),
      speeds_(std::move(ports.speeds)),
      log_reader_(market_name_, loop_,
                  [this](std::uint64_t sequence) {
                    service::Log(
                        service::Level::kInfo, "log_caught_up",
                        {{"market", market_name_}, {"sequence", std::to_string(sequence)}});
                    on_caught_up_();
                  }),
      trip_(std::move(ports.trip)),
      commands_(market_name_, {.trip = *trip_,
                               .requests = requests_,
                               .events = loop_,
                               .lease = dependencies_.lease,
                               .trip_to_ours = dependencies_.trip_to_ours,
                               .on_ended =
                                   [this](const std::string& command, absl::StatusCode code) {
                                     observer_->CommandEnded(command, code);
                                   },
                               .rides = rides_.get()}) {}

MarketRunner::~MarketRunner() { Stop(); }

void MarketRunner::Start(std::function<void()> on_caught_up) {
  on_caught_up_ = std::move(on_caught_up);
  loop_.Start();
  {
    MutexLock lock(mu_);
    ScheduleSurvey();
  }
  Follow();
  auto leader = dependencies_.executor.Start([this] { return AcquireLease(); });
  MutexLock lock(mu_);
  leader_ = std::move(leader);
}

void MarketRunner::Follow() {
  log_ = std::make_unique<LogStream>(
      dependencies_.timers,
      LogStream::Options{.open =
                             [this](TripPort::LogListener& listener) {
                               return trip_->FollowTrips(log_reader_.NextRequest(), listener);
                             },
                         .on_message = [this](auto& message) { return OnLog(message); },
                         .on_end = [this](const absl::Status& status,
                                          bool is_news) { OnLogEnd(status, is_news); }});
}

void MarketRunner::Lead() {
  leads_ = true;
  MutexLock lock(mu_);
  if (leader_ != nullptr) leader_->Wake();
}

/// The previous holder's decisions are all in the log by now, since none of its commands is
/// executed any more. The log is opened once more to find its end.
std::optional<std::chrono::nanoseconds> MarketRunner::AcquireLease() {
  if (!leads_ || log_reader_.leads()) return std::nullopt;
  log_->Stop();
  log_reader_.Lead();
  Follow();
  return std::nullopt;
}

void MarketRunner::Stop() {
  TimerPort::Handle survey = 0;
  std::unique_ptr<Worker> leader;
  {
    MutexLock lock(mu_);
    stopped_ = true;
    survey = survey_;
    leader = std::move(leader_);
  }
  dependencies_.timers.Cancel(survey);
  leader.reset();
  if (log_ != nullptr) log_->Stop();
  loop_.Stop();
  trip_.reset();
}

// The market's events.

void MarketRunner::Handling(const Event& event, Time now) {
  observer_->Handling(event, now);
  if (rides_ != nullptr) rides_->Handling(event, now);
}

void MarketRunner::Decided(const std::vector<Decision>& decisions) {
  observer_->Decided(decisions);
  if (rides_ != nullptr) rides_->Decided(decisions);
}

void MarketRunner::Handled(const Event& event, std::chrono::nanoseconds took) {
  observer_->Handled(event, took);
  if (rides_ != nullptr) rides_->Handled(event, took);
}

// The fleet.

void MarketRunner::ScheduleSurvey() {
  if (stopped_) return;
  survey_ =
      dependencies_.timers.After(dependencies_.clock.ToWall(kSurveyEvery), [this] { Survey(); });
}

void MarketRunner::Survey() {
  // An overloaded market can skip this survey, since the next one replaces it.
  (void)loop_.Post(dependencies_.sessions.Survey(MarketId(market_name_)));
  MutexLock lock(mu_);
  ScheduleSurvey();
}

// The log.

bool MarketRunner::OnLog(trip::v1::FollowTripsResponse& message) {
  if (message.has_event()) {
    requests_.Note(message.event().trip());
    if (rides_ != nullptr) rides_->OnRead(message.event());
    ShiftTimes(dependencies_.trip_to_ours(), *message.mutable_event()->mutable_trip());
  }
  return log_reader_.Take(message);
}

void MarketRunner::OnLogEnd(const absl::Status& status, bool is_news) {
  if (is_news) {
    service::Log(service::LevelOf(status), "log_not_followed",
                 {{"market", market_name_},
                  {"after", std::to_string(log_reader_.sequence())},
                  {"error", status.ToString()},
                  {"advice", service::AdviceOn(status, "trip", trip_address_)}});
  }
  log_reader_.OnEnd(status);
}

// Decisions.

void MarketRunner::Do(const SendWelcome& decision) {
  const auto session = dependencies_.sessions.Find(decision.driver);
  if (session != nullptr) session->Welcome(decision.epoch, decision.snapshot);
}

void MarketRunner::Do(dispatch::Push decision) {
  const auto session = dependencies_.sessions.Find(decision.driver);
  if (session == nullptr) return;
  LogPush(decision, session->id(),
          [this](const std::string& trip) { return requests_.RequestOf(trip); });
  session->Push(std::move(decision.message));
}

void MarketRunner::Do(const EndSession& decision) {
  dependencies_.sessions.EndShift(decision.driver, decision.epoch);
}

void MarketRunner::Do(const SetAvailability& decision) {
  const auto session = dependencies_.sessions.Find(decision.driver);
  if (session != nullptr) session->SetAvailability(decision);
}

void MarketRunner::Do(FindCandidates decision) {
  if (!dependencies_.lease.TermToActIn()) {
    loop_.PostAlways(CandidatesFound{
        decision.round,
        absl::UnavailableError("this process may no longer hold the market's lease")});
    return;
  }
  std::vector<std::string> requests =
      requests_.NewRequestsOf(decision, CallOptions::kMaxRequestIds);
  const std::string traceparent = rides_ == nullptr ? "" : rides_->TraceOfRound(decision.round);
  planner_.Find(std::move(decision), requests, traceparent);
}

void MarketRunner::Do(FindRoute decision) { planner_.Find(std::move(decision)); }

void MarketRunner::Do(ReportProgress decision) {
  const std::optional<std::uint64_t> term = dependencies_.lease.TermToActIn();
  if (!term) return;
  decision.progress.set_market(market_name_);
  decision.progress.set_term(*term);
  if (decision.progress.progress().has_arrives_at()) {
    auto& arrives_at = *decision.progress.mutable_progress()->mutable_arrives_at();
    arrives_at = ToProto(FromProto(arrives_at) - dependencies_.trip_to_ours());
  }
  dependencies_.progress.Report(std::move(decision.progress));
}

void MarketRunner::Do(const StepJudged& decision) {
  if (!IsImplausible(decision.plausibility)) return;
  service::Log(service::Level::kWarning, "step_implausible",
               {{"trip", decision.trip.str()},
                {"request", requests_.RequestOf(decision.trip.str())},
                {"driver", decision.driver.str()},
                {"to", trip::v1::TripState_Name(decision.to)},
                {"why", trip::v1::StepPlausibility_Name(decision.plausibility)},
                {"distance_m", std::to_string(decision.distance_m)},
                {"refused", decision.refused ? "yes" : "no"}});
}

void MarketRunner::Do(StreetsDriven decision) {
  if (speeds_ != nullptr) speeds_->Add(std::move(decision));
}

void MarketRunner::Do(const SetSurge& decision) {
  std::uint32_t highest = 100;
  for (const auto& [id, percent] : decision.cells) highest = std::max(highest, percent);
  highest_surge_percent_ = highest;
  commands_.Send(decision);
}

}  // namespace ridestream::dispatch
