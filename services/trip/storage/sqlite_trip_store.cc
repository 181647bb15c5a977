#include "services/trip/storage/sqlite_trip_store.h"

#include <fmt/format.h>

#include <utility>

#include "libs/sqlite/migrations.h"
#include "libs/sqlite/transaction.h"
#include "services/trip/storage/clock_rate.h"
#include "services/trip/storage/schema.h"

namespace ridestream::trip {
namespace {

sqlite::OpenOptions ReaderOptions(const SqliteTripStore::Options& options) {
  return {.read_only = true, .cache_kib = 4 * 1024, .vfs = options.vfs};
}

/// Writes the rate into a database that has none yet, and compares it otherwise.
absl::Status AgreeOnClockRate(sqlite::Database& database, double rate) {
  auto find = database.Prepare("SELECT value FROM settings WHERE name = ?1");
  if (!find.ok()) return find.status();
  auto rows = find->Query(kClockRateSetting);
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<bool> is_set = rows->Next();
  if (!is_set.ok()) return is_set.status();
  if (*is_set) return CheckClockRate(rows->Text(0), rate);
  auto insert = database.Prepare("INSERT INTO settings (name, value) VALUES (?1, ?2)");
  if (!insert.ok()) return insert.status();
  return insert->Run(kClockRateSetting, std::string_view(FormatClockRate(rate)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTripStore>> SqliteTripStore::Open(Options options) {
  absl::StatusOr<sqlite::Database> opened =
      sqlite::Database::Open(options.path, {.vfs = options.vfs});
  if (!opened.ok()) return opened.status();
  auto database = std::make_unique<sqlite::Database>(*std::move(opened));
  absl::Status status = sqlite::Migrate(*database, Migrations());
  if (status.ok()) status = AgreeOnClockRate(*database, options.clock.rate());
  if (!status.ok()) return status;
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
      publisher_(last_sequence, options_.listener),
      writer_({.executor = executor_,
               .committer = *this,
               .acknowledge = [this](Batch batch) { publisher_.Publish(std::move(batch)); },
               .on_commit = options_.on_commit,
               .on_failure = options_.on_failure,
               .max_queue = options_.max_queue,
               .max_batch = options_.max_batch}) {}

SqliteTripStore::~SqliteTripStore() { writer_.Close(); }

void SqliteTripStore::Submit(Command command, TripDone done, Deadline deadline) {
  writer_.Submit(std::move(command), std::move(done), deadline);
}

void SqliteTripStore::SaveQuote(Quote quote, QuoteDone done, Deadline deadline) {
  writer_.SaveQuote(std::move(quote), std::move(done), deadline);
}

void SqliteTripStore::ChangeLease(LeaseCommand command, LeaseDone done, Deadline deadline) {
  writer_.ChangeLease(std::move(command), std::move(done), deadline);
}

void SqliteTripStore::Commit(Batch batch, Done done) {
  bool refused = false;
  absl::Status status = CarryOut(batch, refused);
  done({std::move(batch), std::move(status), refused});
}

/// All in one transaction. Sets `refused` when a command failed and not the disk.
absl::Status SqliteTripStore::CarryOut(Batch& batch, bool& refused) {
  absl::StatusOr<sqlite::Transaction> transaction = sqlite::Transaction::Begin(*database_);
  if (!transaction.ok()) return transaction.status();
  const absl::StatusOr<std::uint64_t> last = ledger_->ReadLastSequence();
  if (!last.ok()) return last.status();
  for (Work& work : batch) {
    absl::Status status = CarryOut(work);
    if (status.ok()) continue;
    refused = status.code() != absl::StatusCode::kUnavailable;
    return status;
  }
  return transaction->Commit();
}

absl::Status SqliteTripStore::CarryOut(Work& work) {
  if (auto* quote = std::get_if<QuoteWork>(&work)) {
    return ledger_->SaveQuote(quote->quote, options_.clock.Now());
  }
  if (auto* lease = std::get_if<LeaseWork>(&work)) {
    lease->answer = Execute(lease->command, options_.clock.Now(), *ledger_);
    return lease->answer.status();
  }
  auto& trip = std::get<TripWork>(work);
  absl::StatusOr<Outcome> outcome = Execute(trip.command, options_.clock.Now(), *ledger_);
  if (!outcome.ok()) return outcome.status();
  trip.outcome = *std::move(outcome);
  return absl::OkStatus();
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
