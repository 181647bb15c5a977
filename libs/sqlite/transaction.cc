#include "libs/sqlite/transaction.h"

namespace ridestream::sqlite {

absl::StatusOr<Transaction> Transaction::Begin(Database& database) {
  if (absl::Status status = database.Execute("BEGIN IMMEDIATE"); !status.ok()) return status;
  return Transaction(&database);
}

Transaction::~Transaction() { Rollback(); }

absl::Status Transaction::Commit() {
  absl::Status status = database_->Execute("COMMIT");
  if (status.ok()) {
    database_ = nullptr;
  } else {
    Rollback();
  }
  return status;
}

void Transaction::Rollback() {
  if (database_ == nullptr) return;
  // SQLite rolls back by itself after some errors. A ROLLBACK can only fail if a running statement
  // has an I/O error, and no statement is running here.
  if (database_->in_transaction()) database_->Execute("ROLLBACK").IgnoreError();
  database_ = nullptr;
}

}  // namespace ridestream::sqlite
