#include "libs/service/address_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class AddressFileTest : public ::testing::Test {
 protected:
  const testing::TempFolder folder_;
};

TEST_F(AddressFileTest, IsReadAsItWasWritten) {
  const std::string path = folder_.File("address");
  ASSERT_THAT(WriteAddressFile(path, {{"address", "127.0.0.1:7001"}, {"metrics", "[::1]:7101"}}),
              testing::IsOk());
  EXPECT_THAT(ReadAddressFile(path),
              ElementsAre(Pair("address", "127.0.0.1:7001"), Pair("metrics", "[::1]:7101")));
}

TEST_F(AddressFileTest, ReplacesTheEarlierFileAndLeavesNoOther) {
  const std::string path = folder_.File("address");
  std::ofstream(path) << "address=127.0.0.1:1\nmetrics=127.0.0.1:2\n";
  ASSERT_THAT(WriteAddressFile(path, {{"address", "127.0.0.1:3"}}), testing::IsOk());
  EXPECT_THAT(ReadAddressFile(path), ElementsAre(Pair("address", "127.0.0.1:3")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(AddressFileTest, IsReadableByItsOwnerAlone) {
  const std::string path = folder_.File("address");
  ASSERT_THAT(WriteAddressFile(path, {{"address", "127.0.0.1:7001"}}), testing::IsOk());
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(AddressFileTest, IsEmptyWhenTheFileIsMissingOrEmpty) {
  EXPECT_THAT(ReadAddressFile(folder_.File("none")), IsEmpty());
  std::ofstream(folder_.File("empty")).close();
  EXPECT_THAT(ReadAddressFile(folder_.File("empty")), IsEmpty());
}

TEST_F(AddressFileTest, NamesThePathThatCannotBeWritten) {
  const std::string path = folder_.File("missing/address");
  EXPECT_THAT(WriteAddressFile(path, {{"address", "127.0.0.1:7001"}}),
              testing::StatusIs(absl::StatusCode::kPermissionDenied, path));
}

}  // namespace
}  // namespace ridestream::service
