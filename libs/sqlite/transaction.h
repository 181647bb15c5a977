#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/sqlite/database.h"

namespace ridestream::sqlite {

/// A write transaction. What isn't committed when it is destroyed is rolled back. Same threading as
/// its Database, which must outlive it.
class Transaction {
 public:
  /// Takes the write lock at once, so that nothing read within it can change before the COMMIT.
  static absl::StatusOr<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// Durable when OK. After an error nothing of it was acknowledged and all of it is rolled back;
  /// once the machine had crashed right then it might still be found in the file.
  absl::Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  void Rollback();

  Database* database_;  // Null when it is over.
};

}  // namespace ridestream::sqlite
