#include "libs/sqlite/transaction.h"

#include "gtest/gtest.h"
#include "libs/sqlite/testing/fault_vfs.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::sqlite {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

class TransactionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Database> opened = Open();
    ASSERT_THAT(opened, IsOk());
    database_ = std::make_unique<Database>(*std::move(opened));
    ASSERT_THAT(database_->Execute("CREATE TABLE t (i INTEGER)"), IsOk());
  }

  absl::StatusOr<Database> Open() {
    return Database::Open(folder_.File("a.db"),
                          {.busy_timeout = std::chrono::milliseconds(0), .vfs = faults_.name()});
  }

  static std::int64_t Count(Database& database) {
    absl::StatusOr<Statement> count = database.Prepare("SELECT count(*) FROM t");
    EXPECT_THAT(count, IsOk());
    absl::StatusOr<Rows> rows = count->Query();
    EXPECT_TRUE(rows->Next().value());
    return rows->Int64(0);
  }

  ridestream::testing::TempFolder folder_;
  testing::FaultVfs faults_;
  std::unique_ptr<Database> database_;
};

TEST_F(TransactionTest, CommittedRowsAreSeenByOthers) {
  {
    absl::StatusOr<Transaction> transaction = Transaction::Begin(*database_);
    ASSERT_THAT(transaction, IsOk());
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    ASSERT_THAT(transaction->Commit(), IsOk());
  }
  absl::StatusOr<Database> other = Open();
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(Count(*other), 1);
}

TEST_F(TransactionTest, DestructorRollsBack) {
  {
    absl::StatusOr<Transaction> transaction = Transaction::Begin(*database_);
    ASSERT_THAT(transaction, IsOk());
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    EXPECT_EQ(Count(*database_), 1);
  }
  EXPECT_EQ(Count(*database_), 0);
  EXPECT_FALSE(database_->in_transaction());
}

TEST_F(TransactionTest, SecondWriterIsUnavailable) {
  absl::StatusOr<Database> other = Open();
  ASSERT_THAT(other, IsOk());
  absl::StatusOr<Transaction> transaction = Transaction::Begin(*database_);
  ASSERT_THAT(transaction, IsOk());
  EXPECT_THAT(Transaction::Begin(*other), StatusIs(absl::StatusCode::kUnavailable, "locked"));
}

TEST_F(TransactionTest, CommitThatCannotSyncFailsAndChangesNothing) {
  {
    absl::StatusOr<Transaction> transaction = Transaction::Begin(*database_);
    ASSERT_THAT(transaction, IsOk());
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    faults_.FailSyncs(true);
    EXPECT_THAT(transaction->Commit(), StatusIs(absl::StatusCode::kUnavailable, "disk I/O error"));
  }
  faults_.FailSyncs(false);
  EXPECT_EQ(Count(*database_), 0);
  absl::StatusOr<Transaction> again = Transaction::Begin(*database_);
  ASSERT_THAT(again, IsOk());
  ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (2)"), IsOk());
  EXPECT_THAT(again->Commit(), IsOk());
  EXPECT_EQ(Count(*database_), 1);
}

TEST_F(TransactionTest, CommitThatCannotWriteFailsAndChangesNothing) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(*database_);
  ASSERT_THAT(transaction, IsOk());
  ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
  faults_.FailWrites(true);
  EXPECT_THAT(transaction->Commit(), StatusIs(absl::StatusCode::kUnavailable, "disk I/O error"));
  faults_.FailWrites(false);
  EXPECT_EQ(Count(*database_), 0);
}

}  // namespace
}  // namespace ridestream::sqlite
