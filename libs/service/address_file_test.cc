#include "libs/service/address_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "libs/testing/status_matchers.h"

namespace ridestream::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class AddressFileTest : public ::testing::Test {
 protected:
  AddressFileTest() : folder_(std::filesystem::temp_directory_path() / "address_file_XXXXXX") {
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~AddressFileTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(AddressFileTest, IsReadAsItWasWritten) {
  const std::string path = folder_ + "/address";
  ASSERT_THAT(WriteAddressFile(path, {{"address", "127.0.0.1:7001"}, {"metrics", "[::1]:7101"}}),
              testing::IsOk());
  EXPECT_THAT(ReadAddressFile(path),
              ElementsAre(Pair("address", "127.0.0.1:7001"), Pair("metrics", "[::1]:7101")));
}

TEST_F(AddressFileTest, ReplacesTheEarlierFileAndLeavesNoOther) {
  const std::string path = folder_ + "/address";
  std::ofstream(path) << "address=127.0.0.1:1\nmetrics=127.0.0.1:2\n";
  ASSERT_THAT(WriteAddressFile(path, {{"address", "127.0.0.1:3"}}), testing::IsOk());
  EXPECT_THAT(ReadAddressFile(path), ElementsAre(Pair("address", "127.0.0.1:3")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(AddressFileTest, IsEmptyWhenTheFileIsMissingOrEmpty) {
  EXPECT_THAT(ReadAddressFile(folder_ + "/none"), IsEmpty());
  std::ofstream(folder_ + "/empty").close();
  EXPECT_THAT(ReadAddressFile(folder_ + "/empty"), IsEmpty());
}

TEST_F(AddressFileTest, NamesThePathThatCannotBeWritten) {
  const std::string path = folder_ + "/missing/address";
  EXPECT_THAT(WriteAddressFile(path, {{"address", "127.0.0.1:7001"}}),
              testing::StatusIs(absl::StatusCode::kPermissionDenied, path));
}

}  // namespace
}  // namespace ridestream::service
