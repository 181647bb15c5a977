#include "services/dispatch/drive/session_registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/elsewhere.h"
#include "libs/rpc/retry_after.h"
#include "services/dispatch/domain/session/drive_request_checks.h"

namespace ridestream::dispatch {
namespace {

constexpr Duration kTickEvery = std::chrono::seconds(1);
constexpr auto kRefusedPause = std::chrono::seconds(5);
// Number of sessions that a Hello checks for eviction when the limit is reached, which bounds the
// cost of a Hello. The next Hello checks the next ones.
constexpr std::size_t kLookAt = 64;

}  // namespace

std::uint64_t RegistryConfig::RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

SessionRegistry::SessionRegistry(const RegistryConfig& config, const Clock& clock,
                                 TimerPort& timers, FindMarket find_market)
    : config_(config),
      clock_(clock),
      timers_(timers),
      find_market_(std::move(find_market)),
      random_(config.seed) {
  MutexLock lock(mu_);
  ScheduleTick();
}

SessionRegistry::~SessionRegistry() {
  TimerPort::Handle tick = 0;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    tick = tick_;
  }
  timers_.Cancel(tick);
}

absl::StatusOr<std::shared_ptr<DriveStream>> SessionRegistry::Open(DuplexStream& transport,
                                                                   DriverId driver,
                                                                   PeerAddress address) {
  MutexLock lock(mu_);
  if (draining_) return absl::UnavailableError("the service is draining; connect again");
  // Fenced and silent streams count too, so twice as many streams as sessions may be open.
  if (streams_.size() >= 2 * config_.max_sessions) {
    return Refuse(fmt::format("{} streams are open", streams_.size()));
  }
  std::size_t& of_address = streams_by_address_[address.name];
  if (of_address >= 2 * MaxSessionsOf(address)) {
    return Refuse(fmt::format("{} streams are open from {}", of_address, address.name));
  }
  ++of_address;
  auto stream = std::make_shared<DriveStream>(*this, transport, ++last_stream_id_,
                                              std::move(driver), std::move(address), clock_.Now());
  streams_.emplace(stream->id(), stream);
  return stream;
}

absl::Status SessionRegistry::Refuse(const std::string& why) {
  counters_.Count(SessionCounter::kRefused);
  return rpc::WithRetryAfter(absl::ResourceExhaustedError(why), kRefusedPause);
}

std::size_t SessionRegistry::MaxSessionsOf(const PeerAddress& address) const {
  if (config_.max_sessions_per_address > 0) return config_.max_sessions_per_address;
  return address.is_local ? config_.max_sessions : (config_.max_sessions + 1) / 2;
}

absl::StatusOr<std::shared_ptr<DriverSession>> SessionRegistry::FindOrMake(
    const DriverId& driver, const v1::Hello& hello, const PeerAddress& address) {
  if (absl::Status status = ValidateHello(hello); !status.ok()) return status;
  const MarketId market(hello.market());
  const absl::StatusOr<MarketPorts> ports = find_market_(market);
  if (!ports.ok()) {
    const absl::Status& why = ports.status();
    if (absl::IsNotFound(why)) return config_.markets.Check(hello.market(), "hello.market");
    absl::Status refusal(why.code(), fmt::format("hello.market: {}", std::string(why.message())));
    why.ForEachPayload([&refusal](absl::string_view key, const absl::Cord& detail) {
      refusal.SetPayload(key, detail);
    });
    return refusal;
  }
  for (bool made_room = false;; made_room = true) {
    SessionTable::Sessions candidates;
    std::string why;
    {
      MutexLock lock(mu_);
      if (auto session = sessions_.Find(driver)) {
        if (session->market() != market) {
          return rpc::WithMarket(
              absl::FailedPreconditionError(fmt::format("hello.market: {} has a session in market "
                                                        "'{}', not in '{}'; end that shift first",
                                                        driver, session->market(), market)),
              session->market().str());
        }
        sessions_.Move(driver, address.name);
        return session;
      }
      const std::size_t of_address = sessions_.CountOf(address.name);
      if (of_address >= MaxSessionsOf(address)) {
        why = fmt::format("{} sessions are held of {}", of_address, address.name);
        candidates = sessions_.NextToLookAt(kLookAt, address.name);
      } else if (sessions_.size() >= config_.max_sessions) {
        why = fmt::format("{} sessions are held", sessions_.size());
        candidates = sessions_.NextToLookAt(kLookAt);
      } else {
        auto session = std::make_shared<DriverSession>(
            driver, market,
            DriverSession::Dependencies{config_.session, clock_, *ports->events, *ports->positions,
                                        counters_, *ports->offer_times, ports->area, ports->acks});
        sessions_.Insert(session, address.name);
        return session;
      }
    }
    if (made_room || !MakeRoom(candidates)) return Refuse(why);
  }
}

bool SessionRegistry::MakeRoom(const SessionTable::Sessions& candidates) {
  for (const auto& session : candidates) {
    if (!session->MakeRoom()) continue;
    Remove(*session);
    return true;
  }
  return false;
}

void SessionRegistry::EndShift(const DriverId& driver, std::uint64_t epoch) {
  const std::shared_ptr<DriverSession> session = Find(driver);
  if (session != nullptr && session->EndShift(epoch)) Remove(*session);
}

void SessionRegistry::Remove(DriverSession& session) {
  // Before another session of the driver can begin, so that location receives it before that
  // session's reports.
  session.ReportOffline();
  MutexLock lock(mu_);
  sessions_.Erase(session);
}

std::shared_ptr<DriverSession> SessionRegistry::Find(const DriverId& driver) const {
  MutexLock lock(mu_);
  return sessions_.Find(driver);
}

FleetSurveyed SessionRegistry::Survey(const MarketId& market) const {
  FleetSurveyed survey;
  for (const auto& session : Sessions()) {
    if (session->market() != market) continue;
    if (const auto position = session->position()) {
      survey.drivers.push_back({session->driver(), *position});
    }
  }
  // In a fixed order, so that ties between equally near drivers are always broken in the same way.
  std::sort(survey.drivers.begin(), survey.drivers.end(),
            [](const auto& a, const auto& b) { return a.driver < b.driver; });
  return survey;
}

SessionId SessionRegistry::FreshSessionId() {
  MutexLock lock(mu_);
  return SessionId(fmt::format("s-{:016x}", random_()));
}

void SessionRegistry::Forget(const DriveStream& stream) {
  std::shared_ptr<DriveStream> last;  // Released after the lock.
  MutexLock lock(mu_);
  const auto found = streams_.find(stream.id());
  if (found == streams_.end()) return;
  last = std::move(found->second);
  streams_.erase(found);
  const auto of_address = streams_by_address_.find(last->address().name);
  if (--of_address->second == 0) streams_by_address_.erase(of_address);
}

std::vector<std::shared_ptr<DriveStream>> SessionRegistry::Streams() const {
  std::vector<std::shared_ptr<DriveStream>> streams;
  MutexLock lock(mu_);
  streams.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) streams.push_back(stream);
  return streams;
}

SessionTable::Sessions SessionRegistry::Sessions() const {
  MutexLock lock(mu_);
  return sessions_.All();
}

void SessionRegistry::Drain(const std::string& elsewhere) {
  {
    MutexLock lock(mu_);
    draining_ = true;
  }
  for (const auto& stream : Streams()) {
    Duration::rep pause = 0;
    {
      MutexLock lock(mu_);
      pause = std::uniform_int_distribution<Duration::rep>(
          0, config_.reconnect_within.count())(random_);
    }
    v1::Goodbye goodbye;
    goodbye.set_reason(elsewhere.empty() ? v1::GOODBYE_REASON_DRAINING
                                         : v1::GOODBYE_REASON_MARKET_MOVED);
    *goodbye.mutable_reconnect_after() = ToProto(Duration(pause));
    goodbye.set_address(elsewhere);
    stream->SendGoodbye(
        std::move(goodbye),
        absl::UnavailableError(elsewhere.empty() ? "the service is draining; connect again"
                                                 : "the market is served at " + elsewhere));
  }
}

std::size_t SessionRegistry::sessions() const {
  MutexLock lock(mu_);
  return sessions_.size();
}

std::size_t SessionRegistry::streams() const {
  MutexLock lock(mu_);
  return streams_.size();
}

std::size_t SessionRegistry::MostUnacked() const {
  std::size_t most = 0;
  for (const auto& session : Sessions()) most = std::max(most, session->unacked());
  return most;
}

void SessionRegistry::ScheduleTick() {
  tick_ = timers_.After(clock_.ToWall(kTickEvery), [this] { Tick(); });
}

void SessionRegistry::Tick() {
  for (const auto& session : Sessions()) {
    if (session->Tick()) Remove(*session);
  }
  const Time now = clock_.Now();
  for (const auto& stream : Streams()) {
    stream->BreakOffIfStuck(now, config_.end_within);
    const std::optional<Time> since = stream->WaitsForHelloSince();
    if (since && now - *since >= config_.hello_within) {
      stream->End(absl::DeadlineExceededError("hello: did not arrive in time"));
    }
  }
  MutexLock lock(mu_);
  if (!stopping_) ScheduleTick();
}

}  // namespace ridestream::dispatch
