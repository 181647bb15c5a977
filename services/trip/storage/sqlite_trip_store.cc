#include "services/trip/storage/sqlite_trip_store.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "libs/sqlite/migrations.h"
#include "libs/sqlite/transaction.h"
#include "services/trip/storage/schema.h"

namespace ridestream::trip {
namespace {

sqlite::OpenOptions ReaderOptions(const SqliteTripStore::Options& options) {
  return {.read_only = true, .cache_kib = 4 * 1024, .vfs = options.vfs};
}

/// A failure of the disk or the database, as the caller is told: nothing was acknowledged, and
/// since every command is idempotent it may be sent again.
absl::Status NotCommitted(const absl::Status& cause) {
  const std::string text = fmt::format("the trip wasn't written: {}", std::string(cause.message()));
  return cause.code() == absl::StatusCode::kUnavailable ? absl::UnavailableError(text)
                                                        : absl::InternalError(text);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTripStore>> SqliteTripStore::Open(Options options) {
  absl::StatusOr<sqlite::Database> opened =
      sqlite::Database::Open(options.path, {.vfs = options.vfs});
  if (!opened.ok()) return opened.status();
  auto database = std::make_unique<sqlite::Database>(*std::move(opened));
  if (absl::Status status = sqlite::Migrate(*database, Migrations()); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<SqliteLedger>> ledger = SqliteLedger::Open(*database);
  if (!ledger.ok()) return ledger.status();
  const absl::StatusOr<std::uint64_t> last = (*ledger)->ReadLastSequence();
  if (!last.ok()) return last.status();
  return std::unique_ptr<SqliteTripStore>(
      new SqliteTripStore(std::move(options), std::move(database), *std::move(ledger), *last));
}

SqliteTripStore::SqliteTripStore(Options options, std::unique_ptr<sqlite::Database> database,
                                 std::unique_ptr<SqliteLedger> ledger, std::uint64_t last_sequence)
    : options_(std::move(options)),
      database_(std::move(database)),
      ledger_(std::move(ledger)),
      readers_(options_.path, ReaderOptions(options_), options_.readers),
      last_sequence_(last_sequence) {
  writer_ = std::thread([this] { WriterLoop(); });
}

SqliteTripStore::~SqliteTripStore() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    work_came_.Signal();
  }
  writer_.join();
}

void SqliteTripStore::Submit(Command command, TripDone done) {
  Enqueue(TripWork{.command = std::move(command), .done = std::move(done)});
}

void SqliteTripStore::SaveQuote(Quote quote, QuoteDone done) {
  Enqueue(QuoteWork{std::move(quote), std::move(done)});
}

void SqliteTripStore::Enqueue(Work work) {
  {
    MutexLock lock(mu_);
    if (queue_.size() < options_.max_queue) {
      queue_.push_back(std::move(work));
      if (queue_.size() == 1) work_came_.Signal();
      return;
    }
  }
  Fail(work, absl::ResourceExhaustedError(fmt::format(
                 "{} commands wait to be written already; try again later", options_.max_queue)));
}

size_t SqliteTripStore::waiting() const {
  MutexLock lock(mu_);
  return queue_.size();
}

void SqliteTripStore::WriterLoop() {
  for (;;) {
    Batch batch = TakeBatch();
    if (batch.empty()) return;
    CommitAndComplete(std::move(batch));
  }
}

/// Waits for work. Empty when the store closes and nothing is left to do.
SqliteTripStore::Batch SqliteTripStore::TakeBatch() {
  Batch batch;
  MutexLock lock(mu_);
  while (queue_.empty() && !stopping_) work_came_.Wait(mu_);
  if (queue_.size() <= options_.max_batch) {
    batch.swap(queue_);
  } else {
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(options_.max_batch);
    std::move(queue_.begin(), end, std::back_inserter(batch));
    queue_.erase(queue_.begin(), end);
  }
  return batch;
}

void SqliteTripStore::CommitAndComplete(Batch batch) {
  absl::Status culprit;
  const auto began = std::chrono::steady_clock::now();
  const absl::Status status = CarryOut(batch, culprit);
  if (status.ok()) {
    if (options_.on_commit) {
      options_.on_commit(batch.size(), std::chrono::steady_clock::now() - began);
    }
    return Acknowledge(batch);
  }
  if (!culprit.ok() && batch.size() > 1) {
    // A command that the database refuses spoils its batch. Each is tried alone, so that it spoils
    // nothing but itself.
    for (Work& work : batch) {
      Batch single;
      single.push_back(std::move(work));
      CommitAndComplete(std::move(single));
    }
    return;
  }
  if (options_.on_failure) options_.on_failure(status, batch.size());
  for (Work& work : batch) Fail(work, NotCommitted(status));
}

/// All in one transaction. `culprit` is set when a command failed and not the disk.
absl::Status SqliteTripStore::CarryOut(Batch& batch, absl::Status& culprit) {
  absl::StatusOr<sqlite::Transaction> transaction = sqlite::Transaction::Begin(*database_);
  if (!transaction.ok()) return transaction.status();
  const absl::StatusOr<std::uint64_t> last = ledger_->ReadLastSequence();
  if (!last.ok()) return last.status();
  for (Work& work : batch) {
    absl::Status status = CarryOut(work);
    if (status.ok()) continue;
    if (status.code() != absl::StatusCode::kUnavailable) culprit = status;
    return status;
  }
  return transaction->Commit();
}

absl::Status SqliteTripStore::CarryOut(Work& work) {
  if (auto* quote = std::get_if<QuoteWork>(&work)) {
    return ledger_->SaveQuote(quote->quote, options_.clock.Now());
  }
  auto& trip = std::get<TripWork>(work);
  absl::StatusOr<Outcome> outcome = Execute(trip.command, options_.clock.Now(), *ledger_);
  if (!outcome.ok()) return outcome.status();
  trip.outcome = *std::move(outcome);
  return absl::OkStatus();
}

void SqliteTripStore::Acknowledge(Batch& batch) {
  std::vector<EventPtr> events;
  for (Work& work : batch) {
    auto* trip = std::get_if<TripWork>(&work);
    if (trip != nullptr && trip->outcome.event != nullptr) {
      events.push_back(std::move(trip->outcome.event));
    }
  }
  if (!events.empty()) {
    last_sequence_.store(events.back()->sequence());
    if (options_.listener) options_.listener(events);
  }
  for (Work& work : batch) {
    if (auto* quote = std::get_if<QuoteWork>(&work)) {
      quote->done(absl::OkStatus());
    } else {
      auto& trip = std::get<TripWork>(work);
      trip.done(std::move(trip.outcome.answer));
    }
  }
}

void SqliteTripStore::Fail(Work& work, const absl::Status& status) {
  if (auto* quote = std::get_if<QuoteWork>(&work)) {
    quote->done(status);
  } else {
    std::get<TripWork>(work).done(status);
  }
}

absl::StatusOr<v1::Trip> SqliteTripStore::GetTrip(const TripId& id) const {
  return readers_.With([&](SqliteReader& reader) { return reader.GetTrip(id); });
}

absl::StatusOr<TripPage> SqliteTripStore::ListTrips(const TripFilter& filter, std::uint64_t before,
                                                    size_t limit) const {
  return readers_.With(
      [&](SqliteReader& reader) { return reader.ListTrips(filter, before, limit); });
}

absl::StatusOr<LogPage> SqliteTripStore::ReadLog(std::uint64_t after,
                                                 const std::vector<std::string>& markets,
                                                 size_t limit) const {
  return readers_.With([&](SqliteReader& reader) { return reader.ReadLog(after, markets, limit); });
}

absl::StatusOr<std::optional<std::uint64_t>> SqliteTripStore::OldestOpen(
    const std::vector<std::string>& markets) const {
  return readers_.With([&](SqliteReader& reader) { return reader.OldestOpen(markets); });
}

}  // namespace ridestream::trip
