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
  /// Default of a Hello that names no market.
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
  /// Time after which a stream that should end is cancelled if its driver doesn't read what is
  /// being written.
  Duration end_within = std::chrono::seconds(10);
  /// On draining, Goodbye asks drivers to reconnect at a random time within this.
  Duration reconnect_within = std::chrono::seconds(2);
  /// Seed of session ids and of all randomness. Must differ with every start of the process.
  std::uint64_t seed = RandomSeed();

  static std::uint64_t RandomSeed();
};

/// All sessions and open streams of the process. Ticks them once per second of the clock.
/// Thread-safe. Lock order: this lock is never held while a session's or a stream's is acquired.
class SessionRegistry {
 public:
  /// Receivers of a market's events and positions.
  struct MarketPorts {
    EventSink* events = nullptr;
    PositionSink* positions = nullptr;
    OfferTimes* offer_times = nullptr;
    /// Where the market's drivers can be; null means everywhere.
    const S2LatLngRect* area = nullptr;
    /// Learns of acks; null for nobody.
    AckListener* acks = nullptr;
  };
  /// NOT_FOUND if the market isn't served here, FAILED_PRECONDITION if another process leads it,
  /// UNAVAILABLE if this process is about to lead it.
  using FindMarket = std::function<absl::StatusOr<MarketPorts>(const MarketId&)>;

  SessionRegistry(const RegistryConfig& config, const Clock& clock, TimerPort& timers,
                  FindMarket find_market);
  ~SessionRegistry();

  /// Opens a stream for a call of this driver from `address`. UNAVAILABLE while draining,
  /// RESOURCE_EXHAUSTED if the limit of streams is reached.
  absl::StatusOr<std::shared_ptr<DriveStream>> Open(DuplexStream& transport, DriverId driver,
                                                    PeerAddress address);

  /// Finds or creates the driver's session for this Hello from `address`. INVALID_ARGUMENT;
  /// FAILED_PRECONDITION if the market isn't served here, the driver has a session in another
  /// market, or another process leads the market; RESOURCE_EXHAUSTED if the limit of sessions is
  /// reached.
  absl::StatusOr<std::shared_ptr<DriverSession>> FindOrMake(const DriverId& driver,
                                                            const v1::Hello& hello,
                                                            const PeerAddress& address);
  /// The driver's session, or null.
  std::shared_ptr<DriverSession> Find(const DriverId& driver) const;
  /// Times of a market's offers; null if the market isn't served here.
  const OfferTimes* FindOfferTimes(const MarketId& market) const {
    const auto ports = find_market_(market);
    return ports.ok() ? ports->offer_times : nullptr;
  }
  /// Positions of the market's connected drivers.
  FleetSurveyed Survey(const MarketId& market) const;
  /// The driver ends the shift, unless a stream newer than that epoch has connected.
  void EndShift(const DriverId& driver, std::uint64_t epoch);
  /// Returns a new, unique session id.
  SessionId FreshSessionId();
  /// Removes a stream that has ended.
  void Forget(const DriveStream& stream);

  /// Refuses new streams and sends Goodbye on all open ones. `elsewhere`: the address to which
  /// drivers are sent if another process leads their market.
  void Drain(const std::string& elsewhere = "");

  const service::ServedMarkets& markets() const { return config_.markets; }
  SessionCounters& counters() { return counters_; }
  std::size_t sessions() const;
  std::size_t streams() const;
  /// Largest number of pushes without an ack of any driver.
  std::size_t MostUnacked() const;

 private:
  void Tick();
  void ScheduleTick() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<std::shared_ptr<DriveStream>> Streams() const;
  SessionTable::Sessions Sessions() const;
  std::size_t MaxSessionsOf(const PeerAddress& address) const;
  /// Evicts the first of these sessions that can be evicted. Returns false if there is none.
  bool MakeRoom(const SessionTable::Sessions& candidates);
  /// Removes a dropped session.
  void Remove(DriverSession& session);
  absl::Status Refuse(const std::string& why);

  const RegistryConfig config_;
  const Clock& clock_;
  TimerPort& timers_;
  const FindMarket find_market_;
  SessionCounters counters_;

  mutable Mutex mu_;
  SessionTable sessions_ ABSL_GUARDED_BY(mu_);
  // By id, in the order of opening.
  std::map<std::uint64_t, std::shared_ptr<DriveStream>> streams_ ABSL_GUARDED_BY(mu_);
  std::uint64_t last_stream_id_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::string, std::size_t> streams_by_address_ ABSL_GUARDED_BY(mu_);
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_);
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerPort::Handle tick_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::dispatch
