#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/sqlite/database.h"

namespace ridestream::sqlite {

/// A write transaction. The destructor rolls back unless it was committed. Same threading as its
/// Database, which must outlive it.
class Transaction {
 public:
  /// Takes the write lock immediately, so that nothing read within the transaction can change
  /// before the COMMIT.
  static absl::StatusOr<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// The transaction is durable if OK. After an error nothing was acknowledged and everything is
  /// rolled back; but if the machine crashes at that moment, the transaction may still be found in
  /// the file.
  absl::Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  void Rollback();

  Database* database_;  // Null after the end.
};

}  // namespace ridestream::sqlite
