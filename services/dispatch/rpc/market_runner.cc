#include "services/dispatch/rpc/market_runner.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"
#include "libs/service/service.h"
#include "services/dispatch/rpc/location_client.h"
#include "services/dispatch/rpc/push_lines.h"
#include "services/dispatch/rpc/trip_times.h"

namespace ridestream::dispatch {
namespace {

constexpr std::chrono::milliseconds kCommandTimeout{5'000};
constexpr std::chrono::milliseconds kSurgeTimeout{2'000};
constexpr Duration kSurveyEvery = std::chrono::seconds(10);
// A driver may come from out of town, and a device be a little wrong.
constexpr double kAreaMarginM = 20'000;

S2LatLngRect AreaAround(const roads::BoundingBox& streets) {
  const auto corner = [](LatLng place) { return S2LatLng::FromE7(place.lat_e7, place.lng_e7); };
  return S2LatLngRect(corner(streets.south_west), corner(streets.north_east))
      .ExpandedByDistance(S1Angle::Radians(kAreaMarginM / kEarthRadiusM));
}

const rpc::Caller kSelf{rpc::CallerKind::kService, "dispatch"};

}  // namespace

MarketRunner::MarketRunner(const MarketConfig& config, const PlannerConfig& planner_config,
                           Duration update_speeds_every, std::unique_ptr<roads::Streets> streets,
                           const Surroundings& surroundings)
    : market_name_(config.market.str()),
      streets_(std::move(streets)),
      area_(AreaAround(streets_->graph().bounds())),
      around_(surroundings),
      meter_(surroundings.metrics, market_name_),
      loop_(config, surroundings.clock, surroundings.executor, meter_,
            [this](Decision decision) {
              std::visit([this](auto& what) { Do(std::move(what)); }, decision);
            }),
      positions_(surroundings.clock, surroundings.timers, surroundings.location, market_name_),
      planner_(planner_config, market_name_, *streets_,
               std::make_unique<LocationClient>(surroundings.location), surroundings.executor,
               [this](Event answer) { loop_.Tell(std::move(answer)); }),
      speeds_(update_speeds_every <= Duration::zero()
                  ? nullptr
                  : std::make_unique<SpeedKeeper>(surroundings.clock, update_speeds_every,
                                                  *streets_, market_name_)),
      log_reader_(market_name_, loop_, [this](std::uint64_t sequence) {
        service::Log(service::Level::kInfo, "log_caught_up",
                     {{"market", market_name_}, {"sequence", std::to_string(sequence)}});
        on_caught_up_();
      }) {}

MarketRunner::~MarketRunner() { Stop(); }

void MarketRunner::Start(std::function<void()> on_caught_up) {
  on_caught_up_ = std::move(on_caught_up);
  loop_.Start();
  {
    MutexLock lock(survey_mu_);
    ScheduleSurvey();
  }
  log_ = std::make_unique<LogStream>(
      around_.timers,
      LogStream::Options{.open = [this](auto* context, auto* request,
                                        auto* reactor) { OpenLog(context, request, reactor); },
                         .on_message = [this](auto& message) { return OnLog(message); },
                         .on_end = [this](const grpc::Status& status) { OnLogEnd(status); }});
}

void MarketRunner::Stop() {
  TimerQueue::Handle survey = 0;
  {
    MutexLock lock(survey_mu_);
    stopped_ = true;
    survey = survey_;
  }
  around_.timers.Cancel(survey);
  if (log_ != nullptr) log_->Stop();
  loop_.Stop();
  MutexLock lock(mu_);
  while (calls_under_way_ > 0) idle_.Wait(mu_);
}

// -- The fleet
// -------------------------------------------------------------------------------------

void MarketRunner::ScheduleSurvey() {
  if (stopped_) return;
  survey_ = around_.timers.After(around_.clock.ToWall(kSurveyEvery), [this] { Survey(); });
}

void MarketRunner::Survey() {
  // A market that is behind can do without: the next survey says the same better.
  (void)loop_.Post(around_.sessions.Survey(MarketId(market_name_)));
  MutexLock lock(survey_mu_);
  ScheduleSurvey();
}

// -- The log
// ---------------------------------------------------------------------------------------

void MarketRunner::OpenLog(grpc::ClientContext* context, trip::v1::FollowTripsRequest* request,
                           grpc::ClientReadReactor<trip::v1::FollowTripsResponse>* reactor) {
  rpc::SetCaller(*context, kSelf);
  *request = log_reader_.NextRequest();
  around_.trip.async()->FollowTrips(context, request, reactor);
}

bool MarketRunner::OnLog(trip::v1::FollowTripsResponse& message) {
  if (message.has_event()) {
    NoteRequest(message.event().trip());
    ShiftTimes(around_.trip_clock.to_ours(), *message.mutable_event()->mutable_trip());
  }
  return log_reader_.Take(message);
}

void MarketRunner::OnLogEnd(const grpc::Status& status) {
  service::Log(service::Level::kWarning, "log_stream_ended",
               {{"market", market_name_},
                {"after_sequence", std::to_string(log_reader_.sequence())},
                {"error", status.error_message()}});
  log_reader_.OnEnd(rpc::FromGrpcStatus(status));
}

// -- Requests
// --------------------------------------------------------------------------------------

void MarketRunner::NoteRequest(const trip::v1::Trip& trip) {
  MutexLock lock(mu_);
  switch (trip.state()) {
    case trip::v1::TRIP_STATE_COMPLETED:
    case trip::v1::TRIP_STATE_CANCELLED:
    case trip::v1::TRIP_STATE_UNSERVED:
      requests_.erase(trip.trip_id());
      return;
    default:
      requests_.try_emplace(trip.trip_id(), TripRequest{trip.x_request_id()});
  }
}

std::string MarketRunner::RequestOf(const std::string& trip_id) {
  MutexLock lock(mu_);
  const auto found = requests_.find(trip_id);
  return found == requests_.end() ? "" : found->second.id;
}

std::vector<std::string> MarketRunner::NewRequestsOf(const FindCandidates& round) {
  std::vector<std::string> ids;
  MutexLock lock(mu_);
  for (const FindCandidates::Query& query : round.queries) {
    if (ids.size() == rpc::kMaxRequestIds) break;
    const auto found = requests_.find(query.trip.str());
    if (found == requests_.end() || found->second.id.empty()) continue;
    if (!std::exchange(found->second.was_in_a_round, true)) ids.push_back(found->second.id);
  }
  return ids;
}

// -- Decisions
// -------------------------------------------------------------------------------------

void MarketRunner::Do(const SendWelcome& decision) {
  const auto session = around_.sessions.Find(decision.driver);
  if (session != nullptr) session->Welcome(decision.epoch, decision.snapshot);
}

void MarketRunner::Do(dispatch::Push decision) {
  const auto session = around_.sessions.Find(decision.driver);
  if (session == nullptr) return;
  LogPush(decision, session->id(), [this](const std::string& trip) { return RequestOf(trip); });
  session->Push(std::move(decision.message));
}

void MarketRunner::Do(const EndSession& decision) {
  around_.sessions.EndShift(decision.driver, decision.epoch);
}

void MarketRunner::Do(const SetAvailability& decision) {
  const auto session = around_.sessions.Find(decision.driver);
  if (session != nullptr) session->SetAvailability(decision);
}

void MarketRunner::Do(FindCandidates decision) {
  std::vector<std::string> requests = NewRequestsOf(decision);
  planner_.Find(std::move(decision), std::move(requests));
}

void MarketRunner::Do(FindRoute decision) { planner_.Find(std::move(decision)); }

void MarketRunner::Do(ReportProgress decision) {
  if (decision.progress.progress().has_arrives_at()) {
    auto& arrives_at = *decision.progress.mutable_progress()->mutable_arrives_at();
    arrives_at = ToProto(FromProto(arrives_at) - around_.trip_clock.to_ours());
  }
  around_.progress.Report(std::move(decision.progress));
}

void MarketRunner::Do(const StepJudged& decision) {
  if (!IsImplausible(decision.plausibility)) return;
  service::Log(service::Level::kWarning, "step_implausible",
               {{"trip", decision.trip.str()},
                {"request", RequestOf(decision.trip.str())},
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
  struct UnderWay {
    grpc::ClientContext context;
    trip::v1::ReportSurgeRequest request;
    trip::v1::ReportSurgeResponse response;
  };
  auto under_way = std::make_shared<UnderWay>();
  under_way->request.set_market(market_name_);
  std::uint32_t highest = 100;
  for (const auto& [id, percent] : decision.cells) {
    trip::v1::SurgeCell& cell = *under_way->request.add_cells();
    cell.set_s2_cell_id(id);
    cell.set_surge_percent(percent);
    highest = std::max(highest, percent);
  }
  highest_surge_percent_ = highest;
  rpc::SetCaller(under_way->context, kSelf);
  rpc::SetTimeout(under_way->context, kSurgeTimeout);
  BeginCall();
  around_.trip.async()->ReportSurge(
      &under_way->context, &under_way->request, &under_way->response,
      [this, under_way](const grpc::Status& status) {
        // It is told again while it lasts, and forgotten when it isn't.
        if (!status.ok()) {
          service::Log(service::Level::kWarning, "surge_not_told",
                       {{"market", market_name_}, {"error", status.error_message()}});
        }
        EndCall();
      });
}

void MarketRunner::LogCommand(const char* name, const std::string& trip_id,
                              const absl::Status& status) {
  const bool repeated = IsOutcomeOpen(status);
  std::string request;
  int failures = 0;
  {
    MutexLock lock(mu_);
    const auto found = requests_.find(trip_id);
    if (found != requests_.end()) {
      request = found->second.id;
      failures = repeated ? found->second.failures++ : std::exchange(found->second.failures, 0);
    }
  }
  if (!repeated && failures > 0) {
    service::Log(service::Level::kInfo, "trip_command_through",
                 {{"command", name},
                  {"trip", trip_id},
                  {"request", request},
                  {"failures", std::to_string(failures)}});
  }
  if (status.ok() || (repeated && failures > 0)) return;
  // Somebody else was faster: a race that the market expects.
  service::Log(
      absl::IsFailedPrecondition(status) ? service::Level::kInfo : service::Level::kWarning,
      "trip_command_failed",
      {{"command", name}, {"trip", trip_id}, {"request", request}, {"error", status.ToString()}});
}

void MarketRunner::BeginCall() {
  MutexLock lock(mu_);
  ++calls_under_way_;
}

void MarketRunner::EndCall() {
  MutexLock lock(mu_);
  --calls_under_way_;
  idle_.SignalAll();
}

template <class Request, class Response, class Call>
void MarketRunner::Tell(const char* name, std::uint64_t command, Request request, Call call) {
  struct UnderWay {
    grpc::ClientContext context;
    Request request;
    Response response;
  };
  auto under_way = std::make_shared<UnderWay>();
  under_way->request = std::move(request);
  rpc::SetCaller(under_way->context, kSelf);
  rpc::SetTimeout(under_way->context, kCommandTimeout);
  rpc::AddRequestId(under_way->context, RequestOf(under_way->request.trip_id()));
  BeginCall();
  call(&under_way->context, &under_way->request, &under_way->response,
       [this, name, command, under_way](const grpc::Status& status) {
         meter_.CommandEnded(name, status.error_code());
         absl::StatusOr<trip::v1::Trip> trip;
         if (status.ok()) {
           trip = std::move(*under_way->response.mutable_trip());
           ShiftTimes(around_.trip_clock.to_ours(), *trip);
         } else {
           trip = rpc::FromGrpcStatus(status);
         }
         LogCommand(name, under_way->request.trip_id(), trip.status());
         loop_.Tell(CommandDone{command, std::move(trip)});
         EndCall();
       });
}

void MarketRunner::Do(TripCommand decision) {
  using namespace trip::v1;  // NOLINT(google-build-using-namespace): twelve names of one package.
  auto& trip = *around_.trip.async();
  const std::uint64_t id = decision.command;
  if (auto* assign = std::get_if<AssignTripRequest>(&decision.request)) {
    Tell<AssignTripRequest, AssignTripResponse>(
        "assign", id, std::move(*assign),
        [&](auto... arguments) { trip.AssignTrip(std::move(arguments)...); });
  } else if (auto* advance = std::get_if<AdvanceTripRequest>(&decision.request)) {
    Tell<AdvanceTripRequest, AdvanceTripResponse>(
        "advance", id, std::move(*advance),
        [&](auto... arguments) { trip.AdvanceTrip(std::move(arguments)...); });
  } else if (auto* release = std::get_if<ReleaseTripRequest>(&decision.request)) {
    Tell<ReleaseTripRequest, ReleaseTripResponse>(
        "release", id, std::move(*release),
        [&](auto... arguments) { trip.ReleaseTrip(std::move(arguments)...); });
  } else if (auto* give_up = std::get_if<GiveUpTripRequest>(&decision.request)) {
    Tell<GiveUpTripRequest, GiveUpTripResponse>(
        "give_up", id, std::move(*give_up),
        [&](auto... arguments) { trip.GiveUpTrip(std::move(arguments)...); });
  } else if (auto* lost = std::get_if<ReportDriverLostRequest>(&decision.request)) {
    Tell<ReportDriverLostRequest, ReportDriverLostResponse>(
        "report_driver_lost", id, std::move(*lost),
        [&](auto... arguments) { trip.ReportDriverLost(std::move(arguments)...); });
  } else if (auto* cancel = std::get_if<CancelTripRequest>(&decision.request)) {
    Tell<CancelTripRequest, CancelTripResponse>(
        "cancel", id, std::move(*cancel),
        [&](auto... arguments) { trip.CancelTrip(std::move(arguments)...); });
  }
}

}  // namespace ridestream::dispatch
