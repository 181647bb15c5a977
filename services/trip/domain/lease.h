#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"

namespace ridestream::trip {

/// Which dispatch process decides for a market: one row a market, which is never deleted. The term
/// grows with each new holder, so that a command of an earlier holder can be told from one of the
/// present holder's, whatever either of them believes.
struct Lease {
  MarketId market = {};
  std::string holder = {};  ///< The id of the process; no other process or life of it has the same.
  std::string address = {};  ///< Where drivers reach it, "host:port"; may be empty.
  std::uint64_t term = 0;
  /// Time::min() when the holder gave it up.
  Time ends_at = {};

  bool is_released() const { return ends_at == Time::min(); }
};

inline constexpr Duration kShortestLease = std::chrono::milliseconds(100);
/// In wall-clock time, as kShortestLease. A lease that seems to last longer than that was granted
/// before the clock was set back, or was edited by hand: it counts as ended, which does no harm,
/// since a new holder has a new term.
inline constexpr Duration kLongestLease = std::chrono::minutes(1);

/// A call that concerns a lease. Which fields count depends on `kind`.
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
  /// By the clock of the store, at most `longest`.
  Duration lasts = Duration::zero();
  /// kLongestLease by the clock of the store.
  Duration longest = kLongestLease;
};

/// The caller's answer: the lease's present state, and whether the caller holds it.
struct LeaseAnswer {
  Lease lease = {};
  bool held = false;
  /// Until it ends if it isn't renewed; 0 when it has ended.
  Duration ends_in = Duration::zero();
};

/// A row that is to be written, if any, and the answer once it is.
struct LeaseDecision {
  std::optional<Lease> write = std::nullopt;
  LeaseAnswer answer = {};
};

/// Decides on a command against the market's row, or none if there never was one. Pure.
///
/// A lease that has ended, and that nobody else has taken, can still be renewed, in its term; one
/// that was given up can't. A holder that acquires what it holds gets a new term, as if it were
/// another process. A renewal or a release in another term than the row's changes nothing.
LeaseDecision Decide(const LeaseCommand& command, const std::optional<Lease>& row, Time now);

/// OK if a command that was sent in `term` may be carried out in the market of `row`: the term is
/// that of the row, or 0 where there never was a lease. Otherwise FAILED_PRECONDITION, which
/// names both terms and the holder, marked by MarkStaleTerm.
absl::Status CheckTerm(std::uint64_t term, const MarketId& market, const std::optional<Lease>& row);

}  // namespace ridestream::trip
