#include "libs/sqlite/migrations.h"

#include <array>

#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::sqlite {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

constexpr std::array<std::string_view, 2> kMigrations = {
    "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1)",
    "ALTER TABLE t ADD COLUMN j INTEGER; UPDATE t SET j = 2"};

class MigrationsTest : public ::testing::Test {
 protected:
  absl::StatusOr<Database> Open() { return Database::Open(folder_.File("a.db")); }
  ridestream::testing::TempFolder folder_;
};

TEST_F(MigrationsTest, AppliesEachMigrationOnce) {
  absl::StatusOr<Database> database = Open();
  ASSERT_THAT(database, IsOk());
  ASSERT_THAT(Migrate(*database, std::span(kMigrations).first(1)), IsOk());
  ASSERT_THAT(Migrate(*database, kMigrations), IsOk());
  ASSERT_THAT(Migrate(*database, kMigrations), IsOk());
  absl::StatusOr<Statement> select = database->Prepare("SELECT i, j FROM t");
  ASSERT_THAT(select, IsOk());
  absl::StatusOr<Rows> rows = select->Query();
  ASSERT_TRUE(rows->Next().value());
  EXPECT_EQ(rows->Int64(0), 1);
  EXPECT_EQ(rows->Int64(1), 2);
  EXPECT_FALSE(rows->Next().value());
}

TEST_F(MigrationsTest, NewerVersionIsRefused) {
  absl::StatusOr<Database> database = Open();
  ASSERT_THAT(database, IsOk());
  ASSERT_THAT(database->Execute("PRAGMA user_version = 3"), IsOk());
  EXPECT_THAT(Migrate(*database, kMigrations),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "is of schema version 3, and this program knows versions up to 2"));
}

TEST_F(MigrationsTest, FailedMigrationLeavesTheVersionBefore) {
  constexpr std::array<std::string_view, 2> kBroken = {kMigrations[0],
                                                       "INSERT INTO t VALUES (9); SELEKT"};
  absl::StatusOr<Database> database = Open();
  ASSERT_THAT(database, IsOk());
  EXPECT_THAT(Migrate(*database, kBroken), StatusIs(absl::StatusCode::kInternal, "SELEKT"));
  EXPECT_THAT(Migrate(*database, kMigrations), IsOk());
}

}  // namespace
}  // namespace ridestream::sqlite
