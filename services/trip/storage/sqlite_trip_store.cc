#include "services/trip/storage/sqlite_trip_store.h"

#include <fmt/format.h>

#include <utility>

#include "libs/sqlite/migrations.h"
#include "libs/sqlite/transaction.h"
#include "services/trip/storage/schema.h"

namespace ridestream::trip {
namespace {

sqlite::OpenOptions ReaderOptions(const SqliteTripStore::Options& options) {
  return {.read_only = true, .cache_kib = 4 * 1024, .vfs = options.vfs};
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
      last_sequence_(last_sequence),
      queue_(options_.max_queue, options_.max_batch) {
  writer_ = std::thread([this] { WriterLoop(); });
}

SqliteTripStore::~SqliteTripStore() {
  queue_.Stop();
  writer_.join();
}

void SqliteTripStore::Submit(Command command, TripDone done, Deadline deadline) {
  queue_.Add(
      TripWork{.command = std::move(command), .done = std::move(done), .deadline = deadline});
}

void SqliteTripStore::SaveQuote(Quote quote, QuoteDone done, Deadline deadline) {
  queue_.Add(QuoteWork{std::move(quote), std::move(done), deadline});
}

void SqliteTripStore::WriterLoop() {
  for (;;) {
    Batch batch = queue_.Take();
    if (batch.empty()) return;
    CommitAndComplete(std::move(batch));
  }
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
  const std::vector<EventPtr> events = TakeEvents(batch);
  if (!events.empty()) {
    last_sequence_.store(events.back()->sequence());
    if (options_.listener) options_.listener(events);
  }
  for (Work& work : batch) Complete(work);
}

absl::StatusOr<v1::Trip> SqliteTripStore::GetTrip(const TripId& id, Deadline) const {
  return readers_.With([&](SqliteReader& reader) { return reader.GetTrip(id); });
}

absl::StatusOr<TripPage> SqliteTripStore::ListTrips(const TripFilter& filter, std::uint64_t before,
                                                    size_t limit, Deadline) const {
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
