#include "libs/sqlite/database.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::sqlite {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ridestream::testing::TempFolder;
using ridestream::testing::WithoutRights;

TEST(DatabaseTest, BoundValuesAreReadBackUnchanged) {
  TempFolder folder;
  absl::StatusOr<Database> database = Database::Open(folder.File("a.db"));
  ASSERT_THAT(database, IsOk());
  ASSERT_THAT(database->Execute("CREATE TABLE t (i INTEGER, t TEXT, b BLOB, n TEXT) STRICT"),
              IsOk());
  absl::StatusOr<Statement> insert = database->Prepare("INSERT INTO t VALUES (?1, ?2, ?3, ?4)");
  ASSERT_THAT(insert, IsOk());
  const std::string bytes("\0\xff\n", 3);
  ASSERT_THAT(insert->Run(-5, "käse", Blob{bytes}, nullptr), IsOk());
  ASSERT_THAT(insert->Run(std::uint64_t{1} << 62, std::string_view(), Blob{}, ""), IsOk());

  absl::StatusOr<Statement> select = database->Prepare("SELECT i, t, b, n FROM t ORDER BY i");
  ASSERT_THAT(select, IsOk());
  absl::StatusOr<Rows> rows = select->Query();
  ASSERT_THAT(rows, IsOk());
  ASSERT_TRUE(rows->Next().value());
  EXPECT_EQ(rows->Int64(0), -5);
  EXPECT_EQ(rows->Text(1), "käse");
  EXPECT_EQ(rows->Bytes(2), bytes);
  EXPECT_TRUE(rows->IsNull(3));
  ASSERT_TRUE(rows->Next().value());
  EXPECT_EQ(rows->Uint64(0), std::uint64_t{1} << 62);
  EXPECT_FALSE(rows->IsNull(1));
  EXPECT_FALSE(rows->IsNull(2));
  EXPECT_FALSE(rows->Next().value());
}

TEST(DatabaseTest, ViolatedConstraintsHaveTheirOwnCodes) {
  TempFolder folder;
  absl::StatusOr<Database> database = Database::Open(folder.File("a.db"));
  ASSERT_THAT(database, IsOk());
  ASSERT_THAT(database->Execute("CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0));"
                                "CREATE TABLE c (p INTEGER REFERENCES p(id));"
                                "INSERT INTO p VALUES (1, 1)"),
              IsOk());
  EXPECT_THAT(database->Execute("INSERT INTO p VALUES (1, 2)"),
              StatusIs(absl::StatusCode::kAlreadyExists, "UNIQUE"));
  EXPECT_THAT(database->Execute("INSERT INTO p VALUES (2, 0)"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "CHECK"));
  EXPECT_THAT(database->Execute("INSERT INTO c VALUES (7)"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "FOREIGN KEY"));
}

TEST(DatabaseTest, AWriteAheadLogThatGrewDuringALongReadIsCutAgain) {
  TempFolder folder;
  absl::StatusOr<Database> writer = Database::Open(folder.File("a.db"));
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT(writer->Execute("CREATE TABLE t (b BLOB)"), IsOk());
  absl::StatusOr<Database> reader = Database::Open(folder.File("a.db"), {.read_only = true});
  ASSERT_THAT(reader, IsOk());
  ASSERT_THAT(reader->Execute("BEGIN; SELECT count(*) FROM t"), IsOk());
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(writer->Execute("INSERT INTO t VALUES (randomblob(4194304))"), IsOk());
  }
  EXPECT_GT(writer->WalBytes(), std::uint64_t{Database::kMaxIdleWalBytes});
  ASSERT_THAT(reader->Execute("COMMIT"), IsOk());
  // The first write copies the whole log into the file, and the next one restarts the log.
  ASSERT_THAT(writer->Execute("INSERT INTO t VALUES (x'00')"), IsOk());
  ASSERT_THAT(writer->Execute("INSERT INTO t VALUES (x'00')"), IsOk());
  EXPECT_LE(writer->WalBytes(), std::uint64_t{Database::kMaxIdleWalBytes});
}

TEST(DatabaseTest, WrongSqlIsNamed) {
  TempFolder folder;
  absl::StatusOr<Database> database = Database::Open(folder.File("a.db"));
  ASSERT_THAT(database, IsOk());
  EXPECT_THAT(database->Prepare("SELEKT 1"),
              StatusIs(absl::StatusCode::kInternal, "'SELEKT 1': near \"SELEKT\""));
}

TEST(DatabaseTest, FolderWithoutRightsIsPermissionDenied) {
  TempFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::none);
  WithoutRights without;
  EXPECT_THAT(Database::Open(folder.File("a.db")),
              StatusIs(absl::StatusCode::kPermissionDenied, "Permission denied"));
}

TEST(DatabaseTest, FileThatMayOnlyBeReadIsPermissionDenied) {
  TempFolder folder;
  ASSERT_THAT(Database::Open(folder.File("a.db")), IsOk());
  std::filesystem::permissions(folder.File("a.db"), std::filesystem::perms::others_read |
                                                        std::filesystem::perms::owner_read);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::others_read |
                                                  std::filesystem::perms::others_exec |
                                                  std::filesystem::perms::owner_all);
  WithoutRights without;
  absl::StatusOr<Database> database = Database::Open(folder.File("a.db"));
  const absl::Status status =
      database.ok() ? database->Execute("CREATE TABLE t (i)") : database.status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied, folder.File("a.db")));
}

TEST(DatabaseTest, MissingFolderIsNotFound) {
  EXPECT_THAT(Database::Open("/nowhere/at/all/a.db"),
              StatusIs(absl::StatusCode::kNotFound, "/nowhere/at/all/a.db"));
}

TEST(DatabaseTest, InvalidFileIsDataLoss) {
  TempFolder folder;
  std::ofstream(folder.File("a.db")) << std::string(8192, 'x');
  EXPECT_THAT(Database::Open(folder.File("a.db")),
              StatusIs(absl::StatusCode::kDataLoss, "restore it from a backup"));
}

TEST(DatabaseTest, FileThatEndsWithinAPageIsDataLoss) {
  TempFolder folder;
  const std::string path = folder.File("a.db");
  {
    absl::StatusOr<Database> database = Database::Open(path);
    ASSERT_THAT(database, IsOk());
    ASSERT_THAT(database->Execute("CREATE TABLE t (i); INSERT INTO t VALUES (1)"), IsOk());
  }
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_THAT(Database::Open(path),
              StatusIs(absl::StatusCode::kDataLoss, "ends in the middle of a page of 4096 bytes"));
}

TEST(DatabaseTest, DamagedPageIsDataLossWhenItIsRead) {
  TempFolder folder;
  {
    absl::StatusOr<Database> database = Database::Open(folder.File("a.db"));
    ASSERT_THAT(database, IsOk());
    ASSERT_THAT(database->Execute("CREATE TABLE t (b BLOB); INSERT INTO t VALUES (zeroblob(100))"),
                IsOk());
  }
  {
    std::fstream file(folder.File("a.db"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);  // The second page, which is the table's.
    file << std::string(4096, '\x55');
  }
  absl::StatusOr<Database> database = Database::Open(folder.File("a.db"));
  ASSERT_THAT(database, IsOk());
  EXPECT_THAT(database->Execute("SELECT count(*) FROM t"),
              StatusIs(absl::StatusCode::kDataLoss, "malformed"));
}

TEST(DatabaseTest, ReaderCannotWrite) {
  TempFolder folder;
  absl::StatusOr<Database> writer = Database::Open(folder.File("a.db"));
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT(writer->Execute("CREATE TABLE t (i)"), IsOk());
  absl::StatusOr<Database> reader = Database::Open(folder.File("a.db"), {.read_only = true});
  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT(reader->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kPermissionDenied, "readonly"));
}

}  // namespace
}  // namespace ridestream::sqlite
