#include "tests/sim/dispatch_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/session/drive_request_checks.h"

namespace ridestream::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTickEvery = seconds(1);
constexpr Duration kSurveyEvery = seconds(10);
constexpr Duration kReopenAfter = milliseconds(200);
// Longer than in life, so that not every other step is about it.
constexpr Duration kProgressLinger = seconds(1);
constexpr Duration kHelloWithin = seconds(10);
constexpr std::size_t kMaxUnacked = 16;  // Fewer than in life, so that it happens.

dispatch::MarketConfig MarketConfigFor(Context& context) {
  dispatch::MarketConfig config;
  config.market = MarketId(kMarket);
  config.offer_id_prefix = context.NextId('o') + "-";
  config.abandon_after = std::chrono::seconds(30);  // Sooner than in life, so that it happens.
  return config;
}

/// Asks location over the simulated network.
class LocationClient final : public dispatch::LocationPort {
 public:
  LocationClient(Context& context, Host& host, const DispatchProcess::Neighbours& neighbours)
      : context_(context), host_(host), neighbours_(neighbours) {}

  void FindNearest(location::v1::FindNearestRequest request, const std::vector<std::string>&,
                   Done done) override {
    using Response = location::v1::FindNearestResponse;
    Call<Response>::Start(
        context_, host_, neighbours_.location_host, {"find nearest", seconds(1), true},
        [&location = neighbours_.location, request](const Reply<Response>& reply) {
          location->FindNearest(request, reply);
        },
        std::move(done));
  }

 private:
  Context& context_;
  Host& host_;
  const DispatchProcess::Neighbours neighbours_;
};

}  // namespace

DispatchProcess::DispatchProcess(Context& context, Host& host, const Neighbours& neighbours,
                                 dispatch::MarketChecker& checker)
    : context_(context),
      host_(host),
      neighbours_(neighbours),
      checker_(checker),
      session_config_{.drop_after = std::chrono::minutes(2), .max_unacked = kMaxUnacked},
      market_config_(MarketConfigFor(context)),
      market_executor_(context, milliseconds(1), /*may_be_slow=*/false),
      loop_(market_config_, context.agenda.clock(), market_executor_, *this,
            [this](const dispatch::Decision& decision) {
              std::visit([this](const auto& what) { Do(what); }, decision);
            }),
      planner_executor_(context, milliseconds(20), /*may_be_slow=*/true),
      planner_(dispatch::PlannerConfig(), kMarket, *streets_,
               std::make_unique<LocationClient>(context, host, neighbours), planner_executor_,
               [this](dispatch::Event answer) { OnFound(std::move(answer)); }),
      log_reader_(kMarket, *this, [&context](std::uint64_t sequence) {
        context.trace.Line("log caught up at {}", sequence);
      }) {
  batch_.set_market(kMarket);
  loop_.Start();
  OpenLog();
  OpenLocation();
  OpenProgress();
  context_.agenda.After(kTickEvery, host_.life(), [this] { Tick(); });
  context_.agenda.After(kSurveyEvery, host_.life(), [this] { Survey(); });
}

DispatchProcess::~DispatchProcess() {
  for (const auto& [id, stream] : streams_) stream->LetGo();
}

// -- The registry of sessions
// -----------------------------------------------------------------------

void DispatchProcess::Drive(std::shared_ptr<Link> link, const DriverId& driver,
                            DriveCall::Deliver deliver) {
  const auto call = std::make_shared<DriveCall>(context_, *this, link, driver, std::move(deliver));
  link->WhenClosed(Side::kServer, [weak = std::weak_ptr(call)](const absl::Status& status) {
    if (const auto self = weak.lock()) self->OnLinkClosed(status);
  });
  streams_[link->id()] = call;
}

void DispatchProcess::OnDriverMessage(const Link& link, const dispatch::v1::DriveRequest& request) {
  const auto found = streams_.find(link.id());
  if (found == streams_.end()) return;
  const auto call = found->second;
  call->OnMessage(request);
}

absl::StatusOr<std::shared_ptr<dispatch::DriverSession>> DispatchProcess::FindOrMake(
    const DriverId& driver, const dispatch::v1::Hello& hello) {
  if (absl::Status status = dispatch::ValidateHello(hello); !status.ok()) return status;
  auto& session = sessions_[driver];
  if (session == nullptr) {
    session = std::make_shared<dispatch::DriverSession>(
        driver, MarketId(hello.market()),
        dispatch::DriverSession::Surroundings{session_config_, context_.agenda.clock(), *this,
                                              *this, seen_[driver].counters, offer_times_});
  }
  return session;
}

void DispatchProcess::Forget(const DriveCall& call) { streams_.erase(call.link().id()); }

void DispatchProcess::Tick() {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    it = it->second->Tick() ? Remove(it) : std::next(it);
  }
  std::vector<std::shared_ptr<DriveCall>> silent;
  for (const auto& [id, call] : streams_) {
    const std::optional<Time> since = call->WaitsForHelloSince();
    if (since && context_.agenda.now() - *since >= kHelloWithin) silent.push_back(call);
  }
  for (const auto& call : silent) call->End(absl::DeadlineExceededError("no hello came in time"));
  context_.agenda.After(kTickEvery, host_.life(), [this] { Tick(); });
}

std::map<DriverId, std::shared_ptr<dispatch::DriverSession>>::iterator DispatchProcess::Remove(
    std::map<DriverId, std::shared_ptr<dispatch::DriverSession>>::iterator session) {
  session->second->ReportOffline();
  seen_[session->first].session = SessionId();
  seen_[session->first].newest_epoch = 0;
  return sessions_.erase(session);
}

void DispatchProcess::Survey() {
  dispatch::FleetSurveyed survey;
  for (const auto& [id, session] : sessions_) {
    if (const auto position = session->position()) survey.drivers.push_back({id, *position});
  }
  if (!context_.faults.Strikes(Fault::kMarketQueueFull) && loop_.Post(std::move(survey))) {
    ++surveys_waiting_;
  }
  context_.agenda.After(kSurveyEvery, host_.life(), [this] { Survey(); });
}

std::size_t DispatchProcess::events_waiting() const {
  return loop_.events().size() - surveys_waiting_;
}

// -- Looking on
// -------------------------------------------------------------------------------------

std::uint64_t DispatchProcess::NewestEpochOf(const DriverId& driver) const {
  const auto seen = seen_.find(driver);
  return seen == seen_.end() ? 0 : seen->second.newest_epoch;
}

bool DispatchProcess::CouldResume(const DriverId& driver, const dispatch::v1::Hello& hello) const {
  const auto found = seen_.find(driver);
  if (found == seen_.end()) return false;
  const Seen& seen = found->second;
  return !seen.session.empty() && hello.resume().session_id() == seen.session.str() &&
         seen.counters.value(dispatch::SessionCounter::kVoided) == seen.voided &&
         hello.resume().last_sequence() >= seen.acked;
}

void DispatchProcess::Acked(const DriverId& driver, std::uint64_t sequence) {
  seen_[driver].acked = std::max(seen_[driver].acked, sequence);
}

void DispatchProcess::Attached(const DriverId& driver, const absl::StatusOr<std::uint64_t>& epoch,
                               const SessionId& fresh, bool could_resume) {
  Seen& seen = seen_[driver];
  const std::uint64_t resumed = seen.counters.value(dispatch::SessionCounter::kResumed);
  const bool has_resumed = std::exchange(seen.resumed, resumed) != resumed;
  if (could_resume && !has_resumed) {
    context_.Violated(
        fmt::format("driver {}: session {} could be resumed and wasn't", driver, seen.session));
  }
  if (!has_resumed) {
    seen.session = fresh;
    seen.voided = seen.counters.value(dispatch::SessionCounter::kVoided);
    seen.acked = 0;
  }
  if (!epoch.ok()) return;
  if (*epoch <= seen.newest_epoch) {
    context_.Violated(
        fmt::format("driver {}: epoch {} came after {}", driver, *epoch, seen.newest_epoch));
  }
  seen.newest_epoch = *epoch;
}

// -- The market's queue and thread
// ------------------------------------------------------------------

bool DispatchProcess::Post(dispatch::Event event) {
  if (fenced_speaks_) context_.Violated("a stream was heard that a newer one had fenced");
  if (context_.faults.Strikes(Fault::kMarketQueueFull)) return false;
  return loop_.Post(std::move(event));
}

void DispatchProcess::Tell(dispatch::Event event) {
  if (fenced_speaks_) context_.Violated("a stream was heard that a newer one had fenced");
  const bool silence = std::holds_alternative<dispatch::DriverSuspect>(event) ||
                       std::holds_alternative<dispatch::SessionDropped>(event);
  if (silence && context_.Has(Bug::kSilenceNotTold)) return;
  loop_.Tell(std::move(event));
}

void DispatchProcess::Handling(const dispatch::Event& event, Time now) {
  if (std::holds_alternative<dispatch::FleetSurveyed>(event)) --surveys_waiting_;
  if (const auto* answer = std::get_if<dispatch::OfferAnswered>(&event)) {
    const auto lease = leases_.find(answer->answer.offer_id());
    if (lease != leases_.end() && answer->answer.accept() && !lease->second.accepted_at) {
      lease->second.accepted_at = now;
    }
  }
  checker_.Before(event, now);
}

// -- The log
// ----------------------------------------------------------------------------------------

void DispatchProcess::OpenLog() {
  const trip::v1::FollowTripsRequest request = log_reader_.NextRequest();
  log_link_ = Link::Open(context_, host_, neighbours_.trip_host, "log");
  log_link_->WhenClosed(Side::kClient, [this](const absl::Status& status) { OnLogEnd(status); });
  const auto deliver =
      [this, link = std::weak_ptr(log_link_)](const trip::v1::FollowTripsResponse& message) {
        if (const auto self = link.lock()) OnLog(self, message);
      };
  log_link_->Send(Side::kServer, [&trip = neighbours_.trip, link = log_link_, request, deliver] {
    trip->FollowTrips(link, request, deliver);
  });
}

void DispatchProcess::OnLog(const std::shared_ptr<Link>& link,
                            const trip::v1::FollowTripsResponse& message) {
  trip::v1::FollowTripsResponse taken = message;
  if (message.has_event()) {
    context_.trace.Line("log {}: {}", message.event().sequence(), Describe(message.event().trip()));
  }
  if (log_reader_.Take(taken)) {
    const std::uint64_t sequence =
        message.has_caught_up() ? message.caught_up().sequence() : message.event().sequence();
    // The log is caught up at an entry that was told.
    const bool skipped = message.has_caught_up() && told_ != 0 && sequence > told_;
    CheckTold(skipped ? sequence + 1 : sequence);
    return;
  }
  link->Abandon(Side::kClient);
  OnLogEnd(absl::CancelledError("the market is behind"));
}

void DispatchProcess::OnLogEnd(const absl::Status& status) {
  context_.trace.Line("log ends: {}", status.ToString());
  log_reader_.OnEnd(status);
  context_.agenda.After(kReopenAfter, host_.life(), [this] { OpenLog(); });
}

/// The log is all of this market, so none may be missing.
void DispatchProcess::CheckTold(std::uint64_t sequence) {
  if (told_ != 0 && sequence > told_ + 1) {
    context_.Violated(fmt::format("the log's event {} was told behind {}", sequence, told_));
  }
  told_ = std::max(told_, sequence);
}

// -- Positions
// --------------------------------------------------------------------------------------

void DispatchProcess::OpenLocation() {
  location_link_ = Link::Open(context_, host_, neighbours_.location_host, "positions");
  location_link_->WhenClosed(Side::kClient, [this](const absl::Status&) {
    context_.agenda.After(kReopenAfter, host_.life(), [this] { OpenLocation(); });
  });
  location_link_->Send(Side::kServer, [&location = neighbours_.location, link = location_link_] {
    location->ReportPositions(link);
  });
  Flush();
}

void DispatchProcess::Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) {
  if (fenced_speaks_)
    context_.Violated("a stream's position was taken that a newer one had fenced");
  fill(*batch_.add_positions());
  if (std::exchange(flush_scheduled_, true)) return;
  context_.agenda.After(milliseconds(2), host_.life(), [this] {
    flush_scheduled_ = false;
    Flush();
  });
}

void DispatchProcess::Flush() {
  if (batch_.positions().empty() || !location_link_->IsOpen(Side::kClient)) return;
  batch_.set_sent_at_us(
      static_cast<std::uint64_t>(context_.agenda.now().time_since_epoch().count()));
  location_link_->Send(Side::kServer, [&location = neighbours_.location, batch = batch_] {
    location->TakeBatch(batch);
  });
  batch_.clear_positions();
}

// -- Progress
// ---------------------------------------------------------------------------------------

void DispatchProcess::OpenProgress() {
  progress_link_ = Link::Open(context_, host_, neighbours_.trip_host, "progress");
  progress_link_->WhenClosed(Side::kClient, [this](const absl::Status&) {
    context_.agenda.After(kReopenAfter, host_.life(), [this] { OpenProgress(); });
  });
  progress_link_->Send(Side::kServer, [&trip = neighbours_.trip, link = progress_link_] {
    trip->ReportProgress(link);
  });
  FlushProgress();
}

void DispatchProcess::Do(const dispatch::ReportProgress& decision) {
  progress_[decision.progress.trip_id()] = decision.progress.progress();
  if (std::exchange(progress_scheduled_, true)) return;
  context_.agenda.After(kProgressLinger, host_.life(), [this] {
    progress_scheduled_ = false;
    FlushProgress();
  });
}

void DispatchProcess::FlushProgress() {
  if (progress_.empty() || !progress_link_->IsOpen(Side::kClient)) return;
  trip::v1::ReportProgressRequest report;
  for (auto& [id, progress] : std::exchange(progress_, {})) {
    auto& entry = *report.add_trips();
    entry.set_trip_id(id);
    *entry.mutable_progress() = progress;
  }
  progress_link_->Send(Side::kServer,
                       [&trip = neighbours_.trip, report] { trip->TakeProgress(report); });
}

// -- Decisions
// --------------------------------------------------------------------------------------

void DispatchProcess::Do(const dispatch::SendWelcome& decision) {
  const auto session = sessions_.find(decision.driver);
  if (session != sessions_.end()) session->second->Welcome(decision.epoch, decision.snapshot);
}

void DispatchProcess::Do(const dispatch::Push& decision) {
  if (decision.message.has_offer()) {
    const auto& offer = decision.message.offer();
    leases_[offer.offer_id()] = {FromProto(offer.expires_at()), std::nullopt};
  }
  const auto session = sessions_.find(decision.driver);
  if (session != sessions_.end()) session->second->Push(decision.message);
}

void DispatchProcess::Do(const dispatch::EndSession& decision) {
  const auto session = sessions_.find(decision.driver);
  if (session != sessions_.end() && session->second->EndShift(decision.epoch)) Remove(session);
}

void DispatchProcess::Do(const dispatch::SetAvailability& decision) {
  const auto session = sessions_.find(decision.driver);
  if (session != sessions_.end()) session->second->SetAvailability(decision);
}

void DispatchProcess::Do(const dispatch::FindCandidates& decision) { planner_.Find(decision); }

void DispatchProcess::OnFound(dispatch::Event answer) {
  if (const auto* found = std::get_if<dispatch::CandidatesFound>(&answer)) {
    for (const auto& move : found->moves) context_.seen["room found"] += move.room ? 1 : 0;
  }
  loop_.Tell(std::move(answer));
}

void DispatchProcess::Do(const dispatch::FindRoute& decision) { planner_.Find(decision); }

void DispatchProcess::Do(const dispatch::TripCommand& decision) {
  if (const auto* assign = std::get_if<trip::v1::AssignTripRequest>(&decision.request)) {
    CheckLease(*assign);
  }
  Call<trip::v1::Trip>::Start(
      context_, host_, neighbours_.trip_host, {Describe(decision.request), seconds(5), true},
      [&trip = neighbours_.trip, request = decision.request](TripProcess::TripReply reply) {
        trip->Carry(request, std::move(reply));
      },
      [this, command = decision.command](absl::StatusOr<trip::v1::Trip> trip) {
        loop_.Tell(dispatch::CommandDone{command, std::move(trip)});
      });
}

void DispatchProcess::Do(const dispatch::StepJudged& decision) {
  context_.trace.Line("{} says {} of {}: {}", decision.driver,
                      trip::v1::TripState_Name(decision.to), decision.trip,
                      trip::v1::StepPlausibility_Name(decision.plausibility));
  context_.Expect(!context_.faults.never() || !dispatch::IsImplausible(decision.plausibility),
                  fmt::format("{}'s step of {} is implausible, by {} m, though nothing goes wrong",
                              decision.driver, decision.trip, decision.distance_m));
}

void DispatchProcess::Do(const dispatch::SetSurge& decision) {
  trip::v1::ReportSurgeRequest request;
  request.set_market(kMarket);
  for (const auto& [id, percent] : decision.cells) {
    request.add_cells()->set_s2_cell_id(id);
    request.mutable_cells()->rbegin()->set_surge_percent(percent);
  }
  Call<trip::v1::ReportSurgeResponse>::Start(
      context_, host_, neighbours_.trip_host, {"surge", seconds(2), true},
      [&trip = neighbours_.trip, request](Reply<trip::v1::ReportSurgeResponse> reply) {
        trip->ReportSurge(request, reply);
      },
      [](const absl::StatusOr<trip::v1::ReportSurgeResponse>&) {});
}

void DispatchProcess::CheckLease(const trip::v1::AssignTripRequest& request) {
  const auto lease = leases_.find(request.offer_id());
  // Who shares is put into a plan without an offer: whether that may be, the market's checker says.
  if (lease == leases_.end()) return;
  const Duration grace = dispatch::MarketConfig().accept_grace;
  if (!lease->second.accepted_at || *lease->second.accepted_at > lease->second.expires_at + grace) {
    context_.Violated(fmt::format("trip {} is given by offer {}, which wasn't accepted in time",
                                  request.trip_id(), request.offer_id()));
  }
}

}  // namespace ridestream::sim
