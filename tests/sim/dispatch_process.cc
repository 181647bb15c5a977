#include "tests/sim/dispatch_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "libs/roads/engine/prepared_file.h"
#include "services/dispatch/record/event_recorder.h"
#include "services/dispatch/record/record_codec.h"
#include "services/dispatch/record/record_file.h"
#include "tests/sim/describe.h"
#include "tests/sim/town.h"

namespace ridestream::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// RegistryConfig's end_within, two ticks of the registry, and some.
constexpr Duration kFencedEndWithin = seconds(13);
constexpr std::uint64_t kRecordLimit = std::uint64_t{1} << 30;
constexpr std::size_t kMaxUnacked = 16;  // Fewer than in production, so that the limit is reached.

dispatch::RegistryConfig RegistryConfigFor(Context& context, std::size_t max_sessions) {
  return {.session = {.drop_after = std::chrono::minutes(2), .max_unacked = kMaxUnacked},
          .max_sessions = max_sessions,
          .max_sessions_per_address = max_sessions,
          .seed = context.random.Below(std::uint64_t{1} << 62)};
}

dispatch::MarketRunner::Config RunnerConfigFor(Context& context, std::size_t max_waiting_events) {
  dispatch::MarketRunner::Config config;
  config.market.market = MarketId(kMarket);
  config.market.offer_id_prefix = context.NextId('o') + "-";
  config.market.abandon_after = seconds(30);  // Sooner than in production, so that it happens.
  config.max_waiting_events = max_waiting_events;
  return config;
}

}  // namespace

/// Lets a process observe its market's decisions.
class DispatchProcess::Onlooker final : public dispatch::MarketRunner::Observer {
 public:
  explicit Onlooker(DispatchProcess& process) : process_(process) {}
  void Handling(const dispatch::Event& event, Time now) override { process_.Handling(event, now); }
  void Decided(const std::vector<dispatch::Decision>& decisions) override {
    process_.Decided(decisions);
  }
  void Handled(const dispatch::Event&, std::chrono::nanoseconds) override { process_.NoteVoided(); }
  void CommandEnded(const std::string&, absl::StatusCode) override {}

 private:
  DispatchProcess& process_;
};

DispatchProcess::DispatchProcess(Context& context, Host& host, const Neighbours& neighbours,
                                 dispatch::MarketChecker& checker, const Options& options)
    : context_(context),
      host_(host),
      options_(options),
      checker_(checker),
      timers_(context, host.life()),
      leases_port_(context, host, neighbours),
      keeper_({.market = kMarket,
               .holder = context.NextId('p'),
               .trip = leases_port_,
               .timers = timers_,
               .time = steady_clock_,
               // Longer than in production, so that a run doesn't consist of renewals.
               .lasts = seconds(10),
               .on_held =
                   [this](const auto& lease) {
                     context_.trace.Line("{} leads in term {}", host_.name(), lease.term());
                     runner_.Lead();
                   },
               .on_lost =
                   [this](const auto& lease) {
                     context_.trace.Line("{} has lost its lease to {}", host_.name(),
                                         lease.address());
                     ++context_.seen["lease lost"];
                     lost_to_ = lease.address();
                     options_.on_lease_lost();
                   },
               .on_standby = [this](const auto&) { ++context_.seen["standby"]; }}),
      executor_(context, host.life(), /*planner=*/{milliseconds(20), true},
                /*market=*/{milliseconds(1), false}),
      progress_(timers_, SimProgressStreams(context, host, neighbours)),
      registry_(RegistryConfigFor(context, options.max_sessions), context.agenda.clock(), timers_,
                [this](const MarketId&) { return FindMarket(); }),
      runner_config_(RunnerConfigFor(context, options.max_waiting_events)),
      runner_(runner_config_,
              {.trip = std::make_unique<SimTrip>(
                   context, host, neighbours,
                   SimTrip::Watch{[this](const auto& request) { CheckLease(request); },
                                  [this](const auto& message) { LogTaken(message); }}),
               .location = std::make_unique<SimLocation>(context, host, neighbours),
               .open_positions = SimPositionStreams(context, host, neighbours),
               .observer = MakeObserver(),
               .streets = TownStreets(),
               .speeds = nullptr},
              {context.agenda.clock(), timers_, executor_, [] { return Duration(0); }, keeper_,
               registry_, progress_}) {
  runner_.Start([this] { context_.trace.Line("the log is caught up"); });
  keeper_.Start(host.name());
}

absl::StatusOr<dispatch::SessionRegistry::MarketPorts> DispatchProcess::FindMarket() {
  if (!keeper_.held()) {
    return absl::FailedPreconditionError("served at " + keeper_.last_lease().address());
  }
  return dispatch::SessionRegistry::MarketPorts{this, this, &runner_.offer_times(),
                                                &runner_.area()};
}

/// The record is written synchronously, because virtual time has no threads.
std::unique_ptr<dispatch::MarketRunner::Observer> DispatchProcess::MakeObserver() {
  auto onlooker = std::make_unique<Onlooker>(*this);
  if (options_.record.empty()) return onlooker;
  dispatch::record::Header header;
  header.set_market(kMarket);
  *header.mutable_settings() = dispatch::Encode(runner_config_.market);
  header.set_roads_fingerprint(roads::Fingerprint(TownStreets()->graph()));
  header.set_roads(TownStreets()->description());
  auto file = dispatch::RecordFile::Create(options_.record, std::move(header), kRecordLimit);
  if (!file.ok()) {
    context_.Violated(file.status().ToString());
    return onlooker;
  }
  return std::make_unique<dispatch::EventRecorder>(
      std::move(onlooker), [this, file = std::shared_ptr<dispatch::RecordFile>(*std::move(file))](
                               std::string batch, std::uint64_t) {
        const absl::Status status = file->Write(batch);
        context_.Expect(status.ok(), status.ToString());
        return status.ok();
      });
}

DispatchProcess::~DispatchProcess() {
  is_dead_ = true;
  for (const auto& [id, link] : links_) link->Release();
}

// Drivers.

void DispatchProcess::Drive(std::shared_ptr<Link> link, const DriverId& driver,
                            DriveLink::Deliver deliver) {
  const auto call = std::make_shared<DriveLink>(context_, *this, link, driver, std::move(deliver));
  auto stream = registry_.Open(*call, driver, {driver.str(), /*is_local=*/false});
  if (!stream.ok()) {
    context_.trace.Line("{} isn't opened: {}", link->name(), stream.status().ToString());
    ++context_.seen[absl::IsUnavailable(stream.status()) ? "turned away by a drain"
                                                         : "too many streams"];
    return link->Close(Side::kServer, stream.status());
  }
  call->Begin(*std::move(stream));
  links_[link->id()] = call;
}

void DispatchProcess::OnDriverMessage(const Link& link, const dispatch::v1::DriveRequest& request) {
  const auto found = links_.find(link.id());
  if (found == links_.end()) return;
  const auto call = found->second;
  call->OnMessage(request);
}

void DispatchProcess::Forget(const DriveLink& link) { links_.erase(link.link().id()); }

// Observing drivers.

std::uint64_t DispatchProcess::NewestEpochOf(const DriverId& driver) const {
  const auto seen = seen_.find(driver);
  return seen == seen_.end() ? 0 : seen->second.newest_epoch;
}

bool DispatchProcess::CouldResume(const DriverId& driver,
                                  const dispatch::v1::DriveRequest& request) const {
  const auto found = seen_.find(driver);
  if (found == seen_.end() || !request.has_hello()) return false;
  const Seen& seen = found->second;
  const auto& resume = request.hello().resume();
  return !seen.session.empty() && resume.session_id() == seen.session.str() && !seen.voided &&
         resume.last_sequence() >= seen.acked;
}

DispatchProcess::Speaker::Speaker(DispatchProcess& process, DriveLink& link, std::uint64_t epoch,
                                  const dispatch::v1::DriveRequest& request)
    : process_(process),
      link_(link),
      request_(request),
      could_resume_(epoch == 0 && !link.said_goodbye() &&
                    process.CouldResume(link.driver(), request)) {
  const std::uint64_t newest = process.NewestEpochOf(link.driver());
  is_fenced_ = epoch != 0 && epoch != newest;
  if (epoch != 0 && epoch < newest) process.context_.faults.Count(Fault::kMessageOvertaken);
  Seen& seen = process.seen_[link.driver()];
  if (epoch == newest && request.has_ack()) {
    seen.acked = std::max(seen.acked, request.ack().sequence());
  }
  process.speaker_ = this;
}

DispatchProcess::Speaker::~Speaker() {
  process_.speaker_ = nullptr;
  if (request_.has_hello()) process_.NoteHello(*this);
}

void DispatchProcess::Note(const dispatch::Event& event) {
  if (const auto* dropped = std::get_if<dispatch::SessionDropped>(&event)) {
    seen_[dropped->driver] = {};
    return;
  }
  const auto* connected = std::get_if<dispatch::DriverConnected>(&event);
  if (connected == nullptr) return;
  Seen& seen = seen_[connected->driver];
  if (connected->epoch <= seen.newest_epoch) {
    context_.Violated(fmt::format("driver {}: epoch {} came after {}", connected->driver,
                                  connected->epoch, seen.newest_epoch));
  }
  seen.newest_epoch = connected->epoch;
  if (speaker_ == nullptr) return context_.Violated("a driver connected without a word");
  speaker_->link_.HasEpoch(connected->epoch);
  speaker_->resumed_ = connected->resumed;
  CheckFencedLater(connected->driver, connected->epoch);
}

void DispatchProcess::CheckFencedLater(const DriverId& driver, std::uint64_t epoch) {
  context_.agenda.After(kFencedEndWithin, host_.life(),
                        [this, driver, epoch, since = context_.agenda.now()] {
                          // A process that was paused has had less time than that.
                          if (host_.resumes_at() > since) return CheckFencedLater(driver, epoch);
                          CheckFenced(driver, epoch);
                        });
}

void DispatchProcess::CheckFenced(const DriverId& driver, std::uint64_t epoch) const {
  for (const auto& [id, link] : links_) {
    if (link->driver() != driver || link->epoch() == 0 || link->epoch() >= epoch) continue;
    const std::optional<Time> since = link->stuck_since();
    context_.Expect(
        !since || context_.agenda.now() - *since < kFencedEndWithin,
        fmt::format("{}: a fenced stream is stuck and isn't broken off", link->link().name()));
  }
}

void DispatchProcess::NoteHello(const Speaker& speaker) {
  const DriverId& driver = speaker.link_.driver();
  Seen& seen = seen_[driver];
  if (speaker.could_resume_ && !speaker.resumed_.value_or(false)) {
    context_.Violated(
        fmt::format("driver {}: session {} could be resumed and wasn't", driver, seen.session));
  }
  if (!speaker.resumed_) {  // Refused.
    ++context_.seen["hello refused"];
    return;
  }
  if (*speaker.resumed_) {
    seen.acked = std::max(seen.acked, speaker.request_.hello().resume().last_sequence());
    return;
  }
  const auto session = registry_.Find(driver);
  seen.session = session == nullptr ? SessionId() : session->id();
  seen.voided = false;
  seen.acked = 0;
}

void DispatchProcess::NoteVoided() {
  const std::uint64_t voided = registry_.counters().value(dispatch::SessionCounter::kVoided);
  if (std::exchange(voided_, voided) != voided) {
    for (const DriverId& driver : pushed_to_) {
      const auto session = registry_.Find(driver);
      // The others have at least what was just pushed.
      if (session != nullptr && session->unacked() == 0) seen_[driver].voided = true;
    }
  }
  pushed_to_.clear();
}

void DispatchProcess::CheckMaySpeak() {
  if (speaker_ != nullptr && speaker_->is_fenced_) {
    context_.Violated("a stream was heard that a newer one had fenced");
  }
  context_.Expect(registry_.sessions() <= options_.max_sessions,
                  "more sessions are held than may be");
}

// From the sessions to the market.

bool DispatchProcess::Post(dispatch::Event event) {
  if (is_dead_) return false;
  CheckMaySpeak();
  Note(event);
  if (context_.faults.Strikes(Fault::kMarketQueueFull)) return false;
  return runner_.Post(std::move(event));
}

void DispatchProcess::PostAlways(dispatch::Event event) {
  if (is_dead_) return;
  CheckMaySpeak();
  Note(event);
  runner_.PostAlways(std::move(event));
}

void DispatchProcess::Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) {
  if (is_dead_) return;
  CheckMaySpeak();
  runner_.positions().Add(fill);
}

// Observing the market.

void DispatchProcess::Handling(const dispatch::Event& event, Time now) {
  if (const auto* answer = std::get_if<dispatch::OfferAnswered>(&event)) {
    const auto lease = leases_.find(answer->answer.offer_id());
    if (lease != leases_.end() && answer->answer.accept() && !lease->second.accepted_at) {
      lease->second.accepted_at = now;
    }
  }
  if (const auto* found = std::get_if<dispatch::CandidatesFound>(&event)) {
    for (const auto& move : found->moves) context_.seen["freed capacity"] += move.freed ? 1 : 0;
  }
  const std::uint64_t refused = runner_.events().refused();
  context_.faults.Count(Fault::kMarketQueueFull, refused - std::exchange(refused_events_, refused));
  checker_.Before(event, now);
}

void DispatchProcess::Decided(const std::vector<dispatch::Decision>& decisions) {
  checker_.After(decisions);
  for (const dispatch::Decision& decision : decisions) {
    if (const auto* step = std::get_if<dispatch::StepJudged>(&decision)) Judge(*step);
    const auto* push = std::get_if<dispatch::Push>(&decision);
    if (push == nullptr) continue;
    pushed_to_.push_back(push->driver);
    if (!push->message.has_offer()) continue;
    const auto& offer = push->message.offer();
    leases_[offer.offer_id()] = {FromProto(offer.expires_at()), std::nullopt};
  }
}

void DispatchProcess::Judge(const dispatch::StepJudged& step) {
  context_.trace.Line("{} says {} of {}: {}", step.driver, trip::v1::TripState_Name(step.to),
                      step.trip, trip::v1::StepPlausibility_Name(step.plausibility));
  context_.Expect(!context_.faults.never() || !dispatch::IsImplausible(step.plausibility),
                  fmt::format("{}'s step of {} is implausible, by {} m, though nothing goes wrong",
                              step.driver, step.trip, step.distance_m));
}

void DispatchProcess::CheckLease(const dispatch::TripRequest& request) const {
  const auto* assign = std::get_if<trip::v1::AssignTripRequest>(&request);
  if (assign == nullptr) return;
  const auto lease = leases_.find(assign->offer_id());
  // A rider who shares is inserted without an offer; the market's checker verifies that.
  if (lease == leases_.end()) return;
  const Duration grace = dispatch::MarketConfig().accept_grace;
  if (!lease->second.accepted_at || *lease->second.accepted_at > lease->second.expires_at + grace) {
    context_.Violated(fmt::format("trip {} is given by offer {}, which wasn't accepted in time",
                                  assign->trip_id(), assign->offer_id()));
  }
}

// The log.

void DispatchProcess::LogTaken(const trip::v1::FollowTripsResponse& message) {
  const std::uint64_t sequence =
      message.has_caught_up() ? message.caught_up().sequence() : message.event().sequence();
  // The log is caught up at an entry that was delivered.
  const bool skipped = message.has_caught_up() && delivered_ != 0 && sequence > delivered_;
  CheckSequence(skipped ? sequence + 1 : sequence);
}

/// The log is all of this market, so none may be missing.
void DispatchProcess::CheckSequence(std::uint64_t sequence) {
  if (delivered_ != 0 && sequence > delivered_ + 1) {
    context_.Violated(
        fmt::format("the log's event {} was delivered after {}", sequence, delivered_));
  }
  delivered_ = std::max(delivered_, sequence);
}

}  // namespace ridestream::sim
