#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/id.h"
#include "services/trip/domain/commands.h"
#include "services/trip/domain/lease.h"

namespace ridestream::trip {

/// Which trips to list; an empty field takes all.
struct TripFilter {
  RiderId rider;
  MarketId market;
};

struct TripPage {
  std::vector<v1::Trip> trips;  ///< Newest first.
  /// Where the next page begins; 0 when this is the last one.
  std::uint64_t next_before = 0;
};

struct LogPage {
  std::vector<v1::TripEvent> events;  ///< Of the markets asked for, in order.
  /// The last sequence looked at: there is no further event of these markets up to here.
  std::uint64_t last_sequence = 0;
};

/// Trips, quotes, the log and the leases of markets: the port behind which SQLite, memory or a
/// database server stands. One suite of tests (trip_store_conformance_test.cc) holds for all of
/// them.
///
/// Thread-safe. Commands don't block; they are carried out one after another, and their completions
/// come on a thread of the store's (or the caller's), in the log's order, only when what they tell
/// is durable. Reads block for as long as the disk takes, and see everything that was answered
/// before.
class TripStore {
 public:
  using TripDone = std::function<void(absl::StatusOr<TripPtr>)>;
  using QuoteDone = std::function<void(absl::Status)>;
  using LeaseDone = std::function<void(absl::StatusOr<LeaseAnswer>)>;
  /// Receives durable events: each once, in the log's order and without holes, beginning with the
  /// first after the store was opened. Several processes may write one log: the listener receives
  /// all events, whoever wrote them, those of this process's own before the completions of the
  /// commands that made them. Must not block.
  using Listener = std::function<void(const std::vector<EventPtr>&)>;

  /// Commands that may wait; one more is refused with RESOURCE_EXHAUSTED. About a second's work.
  static constexpr size_t kMaxQueue = 16'384;

  /// When the caller of a command or a read stops waiting, by the wall. A store on a database
  /// server passes it on, and answers DEADLINE_EXCEEDED to what wasn't carried out by then; a store
  /// that holds its own data may ignore it.
  using Deadline = std::chrono::steady_clock::time_point;
  static constexpr Deadline kNoDeadline = Deadline::max();

  virtual ~TripStore() = default;

  /// RESOURCE_EXHAUSTED when too many commands wait; UNAVAILABLE when the disk failed or the store
  /// is closing, and then nothing was acknowledged and the command may be sent again.
  virtual void Submit(Command command, TripDone done, Deadline deadline = kNoDeadline) = 0;
  virtual void SaveQuote(Quote quote, QuoteDone done, Deadline deadline = kNoDeadline) = 0;
  /// The store's clock judges the lease, which is the database's where several processes share it.
  virtual void ChangeLease(LeaseCommand command, LeaseDone done,
                           Deadline deadline = kNoDeadline) = 0;

  /// NOT_FOUND, or a failure of the disk.
  virtual absl::StatusOr<v1::Trip> GetTrip(const TripId& id,
                                           Deadline deadline = kNoDeadline) const = 0;
  /// The next `limit` (> 0) trips older than `before`; 0 begins with the newest.
  virtual absl::StatusOr<TripPage> ListTrips(const TripFilter& filter, std::uint64_t before,
                                             size_t limit,
                                             Deadline deadline = kNoDeadline) const = 0;
  /// Looks at the next `limit` (> 0) entries after `after`.
  virtual absl::StatusOr<LogPage> ReadLog(std::uint64_t after,
                                          const std::vector<std::string>& markets,
                                          size_t limit) const = 0;
  /// The first event of the oldest trip that is open in any of these markets.
  virtual absl::StatusOr<std::optional<std::uint64_t>> OldestOpen(
      const std::vector<std::string>& markets) const = 0;
  /// The last durable sequence that this process knows of; 0 while the log is empty. Doesn't block.
  virtual std::uint64_t LastSequence() const = 0;
  /// The last durable sequence, whichever process wrote it. Reads it where others write too.
  virtual absl::StatusOr<std::uint64_t> ReadLastSequence() const { return LastSequence(); }
  /// Commands that wait to be written.
  virtual size_t waiting() const = 0;
};

}  // namespace ridestream::trip
