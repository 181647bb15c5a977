#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"

namespace ridestream::trip {

/// Which dispatch process leads a market: one row for each market, which is never deleted. The term
/// increases with each new holder, so that commands of an earlier holder can be distinguished from
/// those of the current one, whatever either of them believes.
struct Lease {
  MarketId market = {};
  std::string holder = {};  ///< The id of the process; no other process or life of it has the same.
  std::string address = {};  ///< Where drivers reach it, "host:port"; may be empty.
  std::uint64_t term = 0;
  /// Time::min() if the holder released the lease.
  Time ends_at = {};

  bool is_released() const { return ends_at == Time::min(); }
};

inline constexpr Duration kShortestLease = std::chrono::milliseconds(100);
/// In wall-clock time, as kShortestLease. A lease that appears to last longer was granted before
/// the clock was set back, or was edited by hand. It counts as ended, which is harmless, since a
/// new holder gets a new term.
inline constexpr Duration kLongestLease = std::chrono::minutes(1);

/// A command on a lease. The relevant fields depend on `kind`.
struct LeaseCommand {
  enum class Kind {
    kAcquire,  ///< With `address` and `lasts`.
    kRenew,    ///< With `term` and `lasts`.
    kRelease,  ///< With `term`.
  };
  Kind kind = Kind::kAcquire;
  MarketId market;
  std::string holder;
  std::string address = {};
  std::uint64_t term = 0;
  /// On the store's clock, at most `longest`.
  Duration lasts = Duration::zero();
  /// kLongestLease on the store's clock.
  Duration longest = kLongestLease;
};

/// The answer to the caller: the lease's current state, and whether the caller holds it.
struct LeaseAnswer {
  Lease lease = {};
  bool held = false;
  /// Time until the lease ends unless it is renewed; 0 if it has ended.
  Duration ends_in = Duration::zero();
};

/// The row to write, if any, and the answer to send once it is written.
struct LeaseDecision {
  std::optional<Lease> write = std::nullopt;
  LeaseAnswer answer = {};
};

/// Decides a command, given the market's row, or nullopt if it has none yet. Pure.
/// An expired lease that no other process has acquired can still be renewed in its term; a released
/// one can't. A holder that acquires its own lease again gets a new term, as another process would.
/// A renewal or a release in another term than the row's changes nothing.
LeaseDecision Decide(const LeaseCommand& command, const std::optional<Lease>& row, Time now);

/// OK if a command with this `term` may be carried out in the market of `row`: the term equals the
/// row's, or is 0 and there never was a lease. Otherwise FAILED_PRECONDITION, which names both
/// terms and the holder, and is marked by MarkStaleTerm.
absl::Status CheckTerm(std::uint64_t term, const MarketId& market, const std::optional<Lease>& row);

}  // namespace ridestream::trip
