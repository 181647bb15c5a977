#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/peer_address.h"
#include "libs/base/timer_port.h"
#include "libs/service/markets.h"
#include "services/dispatch/drive/drive_stream.h"
#include "services/dispatch/drive/driver_session.h"
#include "services/dispatch/drive/session_table.h"

namespace ridestream::dispatch {

struct RegistryConfig {
  SessionConfig session = {};
  /// For which FindMarket finds something.
  service::ServedMarkets markets{std::set<std::string, std::less<>>()};
  /// Sessions held, connected or not. A new driver beyond takes the place of one that is away with
  /// nothing to do, or that has yet to send a good position; else it gets RESOURCE_EXHAUSTED. Twice
  /// as many streams may be open.
  std::size_t max_sessions = 20'000;
  /// The same for the drivers who come from one address. 0: half of max_sessions, and for this
  /// machine itself, where gateways and load generators are, all of them.
  std::size_t max_sessions_per_address = 0;
  /// Time after which a stream without a Hello is closed.
  Duration hello_within = std::chrono::seconds(10);
  /// A stream that is to end, and whose driver doesn't take what is being written, is broken off
  /// after this.
  Duration end_within = std::chrono::seconds(10);
  /// When draining, Goodbye asks drivers to reconnect at a random time within this.
  Duration reconnect_within = std::chrono::seconds(2);
  /// Seed of the sessions' ids, which no other life of the process may use, and of all chance.
  std::uint64_t seed = RandomSeed();

  static std::uint64_t RandomSeed();
};

/// All drivers' sessions and open streams of the process. Ticks them once a second of the clock.
/// Thread-safe. Lock order: this lock is never held while a session's or a stream's is taken.
class SessionRegistry {
 public:
  /// Where a market's events and positions go.
  struct MarketPorts {
    EventSink* events = nullptr;
    PositionSink* positions = nullptr;
    OfferTimes* offer_times = nullptr;
    /// Where its drivers can be; null for everywhere.
    const S2LatLngRect* area = nullptr;
    /// Learns of acks; null for nobody.
    AckListener* acks = nullptr;
  };
  /// NOT_FOUND: it isn't served here. FAILED_PRECONDITION: another process decides for it now.
  /// UNAVAILABLE: this one is about to.
  using FindMarket = std::function<absl::StatusOr<MarketPorts>(const MarketId&)>;

  SessionRegistry(const RegistryConfig& config, const Clock& clock, TimerPort& timers,
                  FindMarket find_market);
  ~SessionRegistry();

  /// A stream for a call of this driver, which came from `address`. UNAVAILABLE when draining,
  /// RESOURCE_EXHAUSTED when full.
  absl::StatusOr<std::shared_ptr<DriveStream>> Open(DuplexStream& transport, DriverId driver,
                                                    PeerAddress address);

  /// The driver's session for this Hello, which came from `address`. INVALID_ARGUMENT,
  /// FAILED_PRECONDITION (no such market here, it has one in another market, or another process
  /// decides for the market), RESOURCE_EXHAUSTED.
  absl::StatusOr<std::shared_ptr<DriverSession>> FindOrMake(const DriverId& driver,
                                                            const v1::Hello& hello,
                                                            const PeerAddress& address);
  /// The driver's session, or null.
  std::shared_ptr<DriverSession> Find(const DriverId& driver) const;
  /// How a market's offers fare; null when it isn't served here.
  const OfferTimes* FindOfferTimes(const MarketId& market) const {
    const auto ports = find_market_(market);
    return ports.ok() ? ports->offer_times : nullptr;
  }
  /// Where the market's connected drivers are.
  FleetSurveyed Survey(const MarketId& market) const;
  /// The driver goes home, unless a stream newer than that epoch has come.
  void EndShift(const DriverId& driver, std::uint64_t epoch);
  /// An id that no session had before.
  SessionId FreshSessionId();
  /// The stream is over.
  void Forget(const DriveStream& stream);

  /// Refuses new streams and sends Goodbye on all open ones. `elsewhere`: the address that the
  /// drivers are sent to, if another process decides for their market.
  void Drain(const std::string& elsewhere = "");

  const service::ServedMarkets& markets() const { return config_.markets; }
  SessionCounters& counters() { return counters_; }
  std::size_t sessions() const;
  std::size_t streams() const;
  /// Pushes that the driver who has left the most of them unacked holds.
  std::size_t MostUnacked() const;

 private:
  void Tick();
  void ScheduleTick() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<std::shared_ptr<DriveStream>> Streams() const;
  SessionTable::Sessions Sessions() const;
  std::size_t MaxSessionsOf(const PeerAddress& address) const;
  /// Evicts the first of these sessions that can be evicted. False if there is none.
  bool MakeRoom(const SessionTable::Sessions& candidates);
  /// For a session that was dropped.
  void Remove(DriverSession& session);
  absl::Status Refuse(const std::string& why);

  const RegistryConfig config_;
  const Clock& clock_;
  TimerPort& timers_;
  const FindMarket find_market_;
  SessionCounters counters_;

  mutable Mutex mu_;
  SessionTable sessions_ ABSL_GUARDED_BY(mu_);
  // By their ids, which grow.
  std::map<std::uint64_t, std::shared_ptr<DriveStream>> streams_ ABSL_GUARDED_BY(mu_);
  std::uint64_t last_stream_id_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::string, std::size_t> streams_by_address_ ABSL_GUARDED_BY(mu_);
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerPort::Handle tick_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::dispatch
