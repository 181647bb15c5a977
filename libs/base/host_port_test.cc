#include "libs/base/host_port.h"

#include <gtest/gtest.h>

namespace ridestream {
namespace {

TEST(WithPortTest, ReplacesThePortAndKeepsTheHost) {
  EXPECT_EQ(WithPort("127.0.0.1:0", 7001), "127.0.0.1:7001");
  EXPECT_EQ(WithPort("[::1]:0", 7001), "[::1]:7001");
  EXPECT_EQ(WithPort(":80", 7001), ":7001");
}

}  // namespace
}  // namespace ridestream
