#include "libs/identity/reloaded_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "libs/identity/revocations.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::identity {
namespace {

using testing::IsOk;
using testing::StatusIs;

void Write(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  ASSERT_TRUE(file.flush());
}

TEST(ReloadedFileTest, KeepsTheLastGoodValue) {
  const testing::TempFolder folder;
  const std::string path = folder.File("revoked");
  Write(path, "sub ada\n");
  auto opened = ReloadedFile<Revocations>::Open(path, 100, &Revocations::Parse);
  ASSERT_THAT(opened, IsOk());
  ReloadedFile<Revocations>& file = **opened;
  EXPECT_EQ(file.value()->size(), 1u);

  file.Reload();
  EXPECT_EQ(file.failures(), 0u);
  Write(path, "sub ada\nsub eve\n");
  file.Reload();
  EXPECT_EQ(file.value()->size(), 2u);

  std::uint64_t failures = 0;
  for (const std::string& rubbish :
       {std::string("sub"), std::string("jti \n"), std::string("ada"), std::string(101, '#')}) {
    Write(path, rubbish);
    file.Reload();
    EXPECT_EQ(file.failures(), ++failures) << rubbish;
    EXPECT_TRUE(file.stale());
    EXPECT_EQ(file.value()->size(), 2u);
  }
  std::filesystem::remove(path);
  file.Reload();
  EXPECT_EQ(file.failures(), ++failures);
  std::filesystem::create_directory(path);
  file.Reload();
  EXPECT_EQ(file.failures(), ++failures);
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);  // Nobody writes to it: reading it must not wait.
  file.Reload();
  EXPECT_EQ(file.value()->size(), 0u);
  std::filesystem::remove(path);

  Write(path, "sub ada\n");
  file.Reload();
  EXPECT_FALSE(file.stale());
  EXPECT_EQ(file.value()->size(), 1u);
}

TEST(ReloadedFileTest, ClearsTheFailureWhenTheOldContentReturns) {
  const testing::TempFolder folder;
  const std::string path = folder.File("revoked");
  Write(path, "sub ada\n");
  auto file = ReloadedFile<Revocations>::Open(path, 100, &Revocations::Parse);
  ASSERT_THAT(file, IsOk());
  Write(path, "rubbish");
  (*file)->Reload();
  EXPECT_TRUE((*file)->stale());
  Write(path, "sub ada\n");
  (*file)->Reload();
  EXPECT_FALSE((*file)->stale());
}

TEST(ReloadedFileTest, RefusesToStartWithoutAGoodFile) {
  const testing::TempFolder folder;
  EXPECT_THAT(ReloadedFile<Revocations>::Open(folder.File("missing"), 100, &Revocations::Parse),
              StatusIs(absl::StatusCode::kNotFound, "missing: can't be read"));
  Write(folder.File("rubbish"), "rubbish");
  EXPECT_THAT(ReloadedFile<Revocations>::Open(folder.File("rubbish"), 100, &Revocations::Parse),
              StatusIs(absl::StatusCode::kInvalidArgument, "rubbish: line 1"));
}

}  // namespace
}  // namespace ridestream::identity
