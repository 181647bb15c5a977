#include "services/trip/storage/postgres_trip_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "libs/postgres/migrations.h"
#include "services/trip/storage/clock_rate.h"
#include "services/trip/storage/postgres_schema.h"
#include "services/trip/storage/postgres_session.h"

namespace ridestream::trip {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{500};

postgres::Deadline After(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

/// A missing right would else show at somebody's first command.
absl::Status CheckRights(postgres::Connection& connection, postgres::Deadline deadline) {
  connection.SendSql(
      "SELECT r.privilege || ' on ' || r.name FROM (VALUES ('trips', 'SELECT'), "
      "('trips', 'INSERT'), ('trips', 'UPDATE'), ('trip_log', 'SELECT'), ('trip_log', 'INSERT'), "
      "('used_ids', 'SELECT'), ('used_ids', 'INSERT'), ('quotes', 'SELECT'), "
      "('quotes', 'INSERT'), ('quotes', 'DELETE'), ('surge', 'SELECT'), ('surge', 'INSERT'), "
      "('surge', 'UPDATE'), ('leases', 'SELECT'), ('leases', 'INSERT'), ('leases', 'UPDATE'), "
      "('settings', 'SELECT')) AS r "
      "(name, privilege) "
      "WHERE NOT has_table_privilege(r.name, r.privilege) LIMIT 1");
  const absl::StatusOr<std::vector<postgres::Result>> missing = connection.Sync(deadline);
  if (!missing.ok()) return missing.status();
  if (missing->front().rows() == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("PostgreSQL's role lacks a privilege: {}", missing->front().Text(0, 0)));
}

/// Writes the rate into a database that has none yet, unless another process does, and compares it.
absl::Status AgreeOnClockRate(postgres::Connection& connection, double rate,
                              postgres::Deadline deadline) {
  for (const bool may_insert : {true, false}) {
    connection.SendSql("SELECT value FROM settings WHERE name = $1", {kClockRateSetting});
    const absl::StatusOr<std::vector<postgres::Result>> found = connection.Sync(deadline);
    if (!found.ok()) return found.status();
    if (found->front().rows() > 0) return CheckClockRate(found->front().Text(0, 0), rate);
    if (!may_insert) break;
    connection.SendSql("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                       {kClockRateSetting, FormatClockRate(rate)});
    const absl::StatusOr<std::vector<postgres::Result>> inserted = connection.Sync(deadline);
    if (!inserted.ok()) return inserted.status();
  }
  return absl::DataLossError("the setting clock_rate of the database has vanished");
}

absl::Status PrepareDatabase(const std::string& url, double clock_rate,
                             postgres::Deadline deadline) {
  auto connection = postgres::Connection::Open(url, {}, deadline);
  if (!connection.ok()) return connection.status();
  absl::Status status =
      postgres::Migrate(**connection, kPostgresVersionTable, PostgresMigrations(), deadline);
  if (status.ok()) status = CheckRights(**connection, deadline);
  if (status.ok()) status = AgreeOnClockRate(**connection, clock_rate, deadline);
  return status;
}

/// Not the fault of the connection, the server or the time: PostgreSQL refused a statement.
bool IsRefusal(const absl::Status& status) {
  return !status.ok() && !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status);
}

/// Answers those whose callers have gone, and drops them from the batch.
void FailOverdue(Batch& batch) {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(batch, [&](Work& work) {
    if (DeadlineOf(work) > now) return false;
    Fail(work, absl::DeadlineExceededError("the trip wasn't written by the call's deadline"));
    return true;
  });
}

/// What a clock of this rate shows when the system's clock of the database shows this.
Time LeaseTime(TimeSource::SystemTime database, double rate) {
  const auto since = std::chrono::duration<double, std::micro>(database - ScaledClock::kAnchor);
  return ScaledClock::kAnchor + std::chrono::duration_cast<Duration>(since * rate);
}

void ExecuteWork(Work& work, const Clock& clock, Time now, PostgresLedger& ledger) {
  if (auto* quote = std::get_if<QuoteWork>(&work)) return ledger.SaveQuote(quote->quote);
  if (auto* lease = std::get_if<LeaseWork>(&work)) {
    lease->answer =
        Execute(lease->command, LeaseTime(ledger.database_time(), clock.rate()), ledger);
    return;
  }
  auto& trip = std::get<TripWork>(work);
  absl::StatusOr<Outcome> outcome = Execute(trip.command, now, ledger);
  // The ledger fails before it changes anything, so that the rest of the batch isn't touched.
  trip.outcome = outcome.ok() ? *std::move(outcome) : Outcome{NotCommitted(outcome.status())};
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresTripStore>> PostgresTripStore::Open(Options options) {
  const postgres::Deadline deadline = After(options.open_for);
  absl::Status status;
  for (std::chrono::milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    status = PrepareDatabase(options.url, options.clock.rate(), deadline);
    if (!absl::IsUnavailable(status) || After(pause) > deadline) break;
    std::this_thread::sleep_for(pause);
  }
  if (!status.ok()) return status;
  auto connection = OpenPostgresSession(options.url, PostgresLedger::Statements(),
                                        /*for_writing=*/true, deadline);
  if (!connection.ok()) return connection.status();
  auto publisher =
      PostgresPublisher::Open({.url = options.url,
                               .listener = options.listener,
                               .on_written = options.on_written,
                               .on_failure =
                                   [on_failure = options.on_failure](const absl::Status& failure) {
                                     if (on_failure) on_failure(failure, 0);
                                   }},
                              deadline);
  if (!publisher.ok()) return publisher.status();
  return std::unique_ptr<PostgresTripStore>(
      new PostgresTripStore(std::move(options), *std::move(connection), *std::move(publisher)));
}

PostgresTripStore::PostgresTripStore(Options options,
                                     std::unique_ptr<postgres::Connection> connection,
                                     std::unique_ptr<PostgresPublisher> publisher)
    : options_(std::move(options)),
      place_(connection->place()),
      publisher_(std::move(publisher)),
      readers_(options_.url, options_.readers,
               [on_failure = options_.on_failure](const absl::Status& failure) {
                 if (on_failure) on_failure(failure, 0);
               }),
      connection_(std::move(connection)),
      writer_({.executor = executor_,
               .committer = *this,
               .acknowledge = [this](Batch batch) { publisher_->Committed(std::move(batch)); },
               .on_commit = options_.on_commit,
               .on_failure = options_.on_failure,
               .max_queue = options_.max_queue,
               .max_batch = options_.max_batch}) {
  publisher_->IgnoreBackend(connection_->backend_pid());
}

PostgresTripStore::~PostgresTripStore() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    closing_.SignalAll();
  }
  writer_.Close();
}

void PostgresTripStore::Submit(Command command, TripDone done, Deadline deadline) {
  writer_.Submit(std::move(command), std::move(done), deadline);
}

void PostgresTripStore::SaveQuote(Quote quote, QuoteDone done, Deadline deadline) {
  writer_.SaveQuote(std::move(quote), std::move(done), deadline);
}

void PostgresTripStore::ChangeLease(LeaseCommand command, LeaseDone done, Deadline deadline) {
  writer_.ChangeLease(std::move(command), std::move(done), deadline);
}

void PostgresTripStore::Commit(Batch batch, Done done) {
  FailOverdue(batch);
  if (batch.empty()) return done({});
  // Until the last of the callers has gone.
  Deadline deadline = DeadlineOf(batch.front());
  for (const Work& work : batch) deadline = std::max(deadline, DeadlineOf(work));
  absl::Status status = CarryOut(batch, std::min(deadline, After(options_.write_for)));
  const bool refused = IsRefusal(status);
  if (!status.ok() && !refused) {
    const size_t failed = batch.size();
    FailOverdue(batch);
    if (options_.on_failure && batch.size() < failed) {
      options_.on_failure(status, failed - batch.size());
    }
    // For the others the time ran out that a transaction is given, not their own.
    if (absl::IsDeadlineExceeded(status)) {
      status = absl::UnavailableError(std::string(status.message()));
    }
  }
  done({std::move(batch), ForCallers(status), refused});
}

absl::Status PostgresTripStore::CarryOut(Batch& batch, postgres::Deadline deadline) {
  std::chrono::milliseconds pause = kFirstPause;
  absl::Status reason;
  for (;;) {
    absl::Status status = TryOnce(batch, deadline);
    // An attempt that was cut short by the deadline says less than the one before it.
    const bool cut_short = !status.ok() && std::chrono::steady_clock::now() >= deadline;
    if (cut_short && !reason.ok()) return reason;
    if (!absl::IsUnavailable(status) || !Pause(pause, deadline)) return status;
    reason = std::move(status);
    pause = std::min(2 * pause, kLongestPause);
  }
}

absl::Status PostgresTripStore::TryOnce(Batch& batch, postgres::Deadline deadline) {
  if (absl::Status status = Connect(deadline); !status.ok()) return status;
  PostgresLedger ledger;
  absl::Status status = ledger.Begin(*connection_, batch, deadline);
  if (status.ok()) {
    const Time now = options_.clock.Now();
    for (Work& work : batch) ExecuteWork(work, options_.clock, now, ledger);
    status = ledger.Commit(*connection_, now, deadline);
    if (!status.ok() && connection_->broken()) {
      return FindOutcome(ledger, deadline);
    }
  }
  if (!status.ok()) RollBack();
  return status;
}

absl::Status PostgresTripStore::Connect(postgres::Deadline deadline) {
  if (!connection_->broken()) return absl::OkStatus();
  auto opened = OpenPostgresSession(options_.url, PostgresLedger::Statements(),
                                    /*for_writing=*/true, deadline);
  if (!opened.ok()) return Outage(opened.status());
  connection_ = *std::move(opened);
  publisher_->IgnoreBackend(connection_->backend_pid());
  return absl::OkStatus();
}

/// The connection was lost before the answer to a COMMIT came. OK if it took place; UNAVAILABLE if
/// it didn't, or if that can't be found out in time: then the commands may have been carried out,
/// and do no harm when they are sent again.
absl::Status PostgresTripStore::FindOutcome(PostgresLedger& ledger, postgres::Deadline deadline) {
  std::chrono::milliseconds pause = kFirstPause;
  for (;;) {
    absl::Status status = Connect(deadline);
    if (status.ok()) {
      const absl::StatusOr<bool> committed = ledger.FindOutcome(*connection_, deadline);
      if (committed.ok()) {
        return *committed ? absl::OkStatus()
                          : absl::UnavailableError("the connection was lost before the commit");
      }
      status = committed.status();
      RollBack();
    }
    if (!Pause(pause, deadline)) {
      return absl::UnavailableError(fmt::format(
          "the connection was lost during the commit, and whether it was committed is unknown: {}",
          std::string(status.message())));
    }
    pause = std::min(2 * pause, kLongestPause);
  }
}

void PostgresTripStore::RollBack() {
  // What can't be rolled back over this connection is by its end.
  if (!connection_->broken()) (void)connection_->Execute("ROLLBACK", After(kLongestPause));
}

bool PostgresTripStore::Pause(std::chrono::milliseconds pause, postgres::Deadline deadline) {
  if (After(pause) > deadline) return false;
  MutexLock lock(mu_);
  if (!stopping_) closing_.WaitFor(mu_, pause);
  return !stopping_;
}

absl::StatusOr<v1::Trip> PostgresTripStore::GetTrip(const TripId& id, Deadline deadline) const {
  return readers_.GetTrip(id, deadline);
}

absl::StatusOr<TripPage> PostgresTripStore::ListTrips(const TripFilter& filter,
                                                      std::uint64_t before, size_t limit,
                                                      Deadline deadline) const {
  return readers_.ListTrips(filter, before, limit, deadline);
}

absl::StatusOr<LogPage> PostgresTripStore::ReadLog(std::uint64_t after,
                                                   const std::vector<std::string>& markets,
                                                   size_t limit) const {
  return readers_.ReadLog(after, markets, limit);
}

absl::StatusOr<std::optional<std::uint64_t>> PostgresTripStore::OldestOpen(
    const std::vector<std::string>& markets) const {
  return readers_.OldestOpen(markets);
}

absl::StatusOr<std::uint64_t> PostgresTripStore::ReadLastSequence() const {
  return readers_.ReadLastSequence();
}

}  // namespace ridestream::trip
