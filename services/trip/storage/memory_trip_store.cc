#include "services/trip/storage/memory_trip_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "libs/base/invariant.h"
#include "services/trip/domain/execute.h"
#include "services/trip/domain/names.h"

namespace ridestream::trip {

/// The rows. Checks what the schema of the SQLite store checks.
class MemoryTripStore::Tables final : public Ledger {
 public:
  absl::StatusOr<std::optional<Quote>> FindQuote(const QuoteId& id) override {
    const auto found = quotes.find(id);
    return found == quotes.end() ? std::nullopt : std::optional(found->second);
  }
  absl::StatusOr<std::optional<TripRecord>> FindTrip(const TripId& id) override {
    const auto found = by_id.find(id);
    return found == by_id.end() ? std::nullopt : std::optional(Row(found->second));
  }
  absl::StatusOr<std::optional<TripRecord>> FindRequest(const RiderId& rider,
                                                        const std::string& request_id) override {
    const auto found = by_request.find({rider, request_id});
    return found == by_request.end() ? std::nullopt : std::optional(Row(found->second));
  }
  absl::StatusOr<std::optional<TripId>> FindOpenTrip(const RiderId& rider) override {
    const auto found = open_by_rider.find(rider);
    return found == open_by_rider.end() ? std::nullopt : std::optional(found->second);
  }
  absl::StatusOr<std::optional<TripId>> FindTripOfQuote(const QuoteId& quote) override {
    const auto found = by_quote.find(quote);
    return found == by_quote.end() ? std::nullopt : std::optional(found->second);
  }
  absl::StatusOr<std::optional<IdUse>> FindUse(const UsedId& id) override {
    const auto found = used_ids.find({id.scope, id.caller, id.id});
    return found == used_ids.end() ? std::nullopt : std::optional(found->second);
  }
  absl::StatusOr<DriverLoad> FindDriverLoad(const DriverId& driver, const TripId& except) override {
    DriverLoad load;
    const auto found = open_by_driver.find(driver);
    if (found == open_by_driver.end()) return load;
    for (const TripId& id : found->second) {
      if (id == except) continue;
      const v1::Trip& trip = Row(by_id[id]).trip;
      load.open_riders += trip.passenger().party_size();
      if (trip.has_promise()) load.sharing_riders += trip.passenger().party_size();
      if (trip.state() == v1::TRIP_STATE_ABOARD) {
        load.aboard_riders += trip.passenger().party_size();
      }
    }
    return load;
  }

  absl::StatusOr<bool> Insert(const RequestCommand& command, v1::TripEvent& event) override {
    if (by_request.contains({command.rider, command.request_id})) return false;
    if (open_by_rider.contains(command.rider)) return false;
    if (by_quote.contains(command.quote_id)) return false;
    if (by_id.contains(command.trip_id)) {
      return absl::AlreadyExistsError(fmt::format("there is a trip {} already", command.trip_id));
    }
    event.set_sequence(log.size() + 1);
    trips[event.sequence()] = {event.trip(), command.quote_id, 0, event.sequence()};
    by_id[command.trip_id] = event.sequence();
    by_request[{command.rider, command.request_id}] = event.sequence();
    open_by_rider[command.rider] = command.trip_id;
    by_quote[command.quote_id] = command.trip_id;
    log.push_back(event);
    return true;
  }

  absl::Status Update(std::uint64_t first_sequence, std::uint32_t seats,
                      v1::TripEvent& event) override {
    const TripId id(event.trip().trip_id());
    TripRecord& record = Row(first_sequence);
    if (record.trip.state() != event.previous_state() ||
        record.trip.version() + 1 != event.trip().version()) {
      return absl::AbortedError(fmt::format("trip {} was changed meanwhile", id));
    }
    const DriverId old_driver(record.trip.driver().driver_id());
    if (!old_driver.empty()) open_by_driver[old_driver].erase(id);
    event.set_sequence(log.size() + 1);
    record.trip = event.trip();
    record.seats = seats;
    if (!IsOpen(record.trip.state())) {
      open_by_rider.erase(RiderId(record.trip.passenger().rider_id()));
    } else if (record.trip.has_driver()) {
      open_by_driver[DriverId(record.trip.driver().driver_id())].insert(id);
    }
    log.push_back(event);
    return absl::OkStatus();
  }

  absl::Status RecordUse(const UsedId& id, const IdUse& use) override {
    used_ids.try_emplace({id.scope, id.caller, id.id}, use);
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<Lease>> FindLease(const MarketId& market) override {
    const auto found = leases.find(market);
    return found == leases.end() ? std::nullopt : std::optional(found->second);
  }
  absl::Status WriteLease(const Lease& lease) override {
    Lease& row = leases[lease.market];
    if (lease.term < row.term || (lease.term == row.term && lease.holder != row.holder)) {
      return absl::FailedPreconditionError("a new holder of a lease has a larger term");
    }
    row = lease;
    return absl::OkStatus();
  }

  /// The trip whose first event has this sequence, as an index or an earlier answer names it.
  TripRecord& Row(std::uint64_t first_sequence) {
    (void)RIDESTREAM_INVARIANT(trips.contains(first_sequence), "an indexed trip has a row");
    return trips[first_sequence];
  }

  std::map<MarketId, Lease> leases;
  std::map<QuoteId, Quote> quotes;
  std::map<std::uint64_t, TripRecord> trips;  // By the sequence of the first event.
  std::map<TripId, std::uint64_t> by_id;
  std::map<std::pair<RiderId, std::string>, std::uint64_t> by_request;
  std::map<RiderId, TripId> open_by_rider;
  std::map<DriverId, std::set<TripId>> open_by_driver;
  std::map<QuoteId, TripId> by_quote;
  std::map<std::tuple<IdScope, std::string, std::string>, IdUse> used_ids;
  std::vector<v1::TripEvent> log;  // Sequence s is at s - 1.
};

MemoryTripStore::MemoryTripStore(const Clock& clock, Listener listener)
    : clock_(clock), listener_(std::move(listener)), tables_(std::make_unique<Tables>()) {}

MemoryTripStore::~MemoryTripStore() = default;

/// One thread at a time works the queue off, so that completions come in the log's order although
/// none is called under the lock.
void MemoryTripStore::Run(Work work) {
  {
    MutexLock lock(mu_);
    queue_.push_back(std::move(work));
    if (running_) return;
    running_ = true;
  }
  for (;;) {
    std::function<void()> completion;
    {
      MutexLock lock(mu_);
      if (queue_.empty()) {
        running_ = false;
        return;
      }
      Work next = std::move(queue_.front());
      queue_.pop_front();
      completion = CarryOut(std::move(next));
    }
    completion();
  }
}

std::function<void()> MemoryTripStore::CarryOut(Work work) {
  if (auto* quote = std::get_if<Quote>(&work.what)) {
    Quote& kept = tables_->quotes[quote->id];
    kept = std::move(*quote);
    return [done = std::move(work.quote_done)] { done(absl::OkStatus()); };
  }
  if (const auto* lease = std::get_if<LeaseCommand>(&work.what)) {
    absl::StatusOr<LeaseAnswer> answer = Execute(*lease, clock_.Now(), *tables_);
    return [done = std::move(work.lease_done), answer = std::move(answer)] { done(answer); };
  }
  absl::StatusOr<Outcome> outcome = Execute(std::get<Command>(work.what), clock_.Now(), *tables_);
  return [this, done = std::move(work.trip_done), outcome = std::move(outcome)] {
    if (!outcome.ok()) return done(outcome.status());
    if (outcome->event != nullptr && listener_) listener_({outcome->event});
    done(outcome->answer);
  };
}

void MemoryTripStore::Submit(Command command, TripDone done, Deadline) {
  Run({.what = std::move(command), .trip_done = std::move(done)});
}

void MemoryTripStore::SaveQuote(Quote quote, QuoteDone done, Deadline) {
  Run({.what = std::move(quote), .quote_done = std::move(done)});
}

void MemoryTripStore::ChangeLease(LeaseCommand command, LeaseDone done, Deadline) {
  Run({.what = std::move(command), .lease_done = std::move(done)});
}

absl::StatusOr<v1::Trip> MemoryTripStore::GetTrip(const TripId& id, Deadline) const {
  MutexLock lock(mu_);
  const auto found = tables_->by_id.find(id);
  if (found == tables_->by_id.end()) {
    return absl::NotFoundError(fmt::format("there is no trip {}", id));
  }
  return tables_->Row(found->second).trip;
}

absl::StatusOr<TripPage> MemoryTripStore::ListTrips(const TripFilter& filter, std::uint64_t before,
                                                    size_t limit, Deadline) const {
  MutexLock lock(mu_);
  const auto& trips = tables_->trips;
  TripPage page;
  std::uint64_t last = 0;
  auto next = before == 0 ? trips.end() : trips.lower_bound(before);
  while (next != trips.begin()) {
    --next;
    const v1::Trip& trip = next->second.trip;
    if (!filter.rider.empty() && trip.passenger().rider_id() != filter.rider.str()) continue;
    if (!filter.market.empty() && trip.market() != filter.market.str()) continue;
    if (page.trips.size() == limit) {
      page.next_before = last;
      break;
    }
    page.trips.push_back(trip);
    last = next->first;
  }
  return page;
}

absl::StatusOr<LogPage> MemoryTripStore::ReadLog(std::uint64_t after,
                                                 const std::vector<std::string>& markets,
                                                 size_t limit) const {
  MutexLock lock(mu_);
  const auto& log = tables_->log;
  LogPage page;
  page.last_sequence = after;
  for (; page.last_sequence < log.size() && limit > 0; --limit) {
    const v1::TripEvent& event = log[page.last_sequence++];
    if (std::find(markets.begin(), markets.end(), event.trip().market()) != markets.end()) {
      page.events.push_back(event);
    }
  }
  return page;
}

absl::StatusOr<std::optional<std::uint64_t>> MemoryTripStore::OldestOpen(
    const std::vector<std::string>& markets) const {
  MutexLock lock(mu_);
  std::optional<std::uint64_t> oldest;
  for (const auto& [rider, id] : tables_->open_by_rider) {
    const std::uint64_t first = tables_->by_id[id];
    const std::string& market = tables_->Row(first).trip.market();
    if (std::find(markets.begin(), markets.end(), market) == markets.end()) continue;
    oldest = std::min(oldest.value_or(first), first);
  }
  return oldest;
}

std::uint64_t MemoryTripStore::LastSequence() const {
  MutexLock lock(mu_);
  return tables_->log.size();
}

size_t MemoryTripStore::waiting() const {
  MutexLock lock(mu_);
  return queue_.size();
}

}  // namespace ridestream::trip
