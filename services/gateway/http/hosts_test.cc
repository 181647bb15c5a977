#include "services/gateway/http/hosts.h"

#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

TEST(Hosts, AllowsLoopbackByDefault) {
  for (const char* host : {"localhost", "LocalHost:7000", "a.localhost", "127.0.0.1:7000",
                           "127.9.8.7", "[::1]", "[::1]:7000"}) {
    EXPECT_TRUE(Hosts().Allow(host)) << host;
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.evil",
        "127.0.0", "127.0.0.256", "notlocalhost", "10.0.0.7", "[::2]", "127.0.0.1@evil.example",
        "[::1", "localhost:x", "localhost:70000"}) {
    EXPECT_FALSE(Hosts().Allow(host)) << host;
  }
}

TEST(Hosts, AllowsTheListenAddressAndListedHosts) {
  const auto hosts = Hosts::Parse("Ride.example, [2001:db8::1]", "10.0.0.7:7000");
  ASSERT_THAT(hosts, testing::IsOk());
  for (const char* host :
       {"ride.example", "RIDE.EXAMPLE:80", "[2001:DB8::1]:7000", "10.0.0.7", "localhost"}) {
    EXPECT_TRUE(hosts->Allow(host)) << host;
  }
  EXPECT_FALSE(hosts->Allow("a.ride.example"));
  EXPECT_FALSE(hosts->Allow("10.0.0.8"));
  EXPECT_TRUE(Hosts::Parse("*", "")->Allow("evil.example"));
}

TEST(Hosts, RefusesInvalidHosts) {
  for (const char* list : {"http://a", "a/b", "a:80", "[::1]:80", "a b", "a,b c"}) {
    EXPECT_THAT(Hosts::Parse(list, ""),
                testing::StatusIs(absl::StatusCode::kInvalidArgument, "is not a host"))
        << list;
  }
}

}  // namespace
}  // namespace ridestream::gateway
