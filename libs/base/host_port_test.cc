#include "libs/base/host_port.h"

#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace ridestream {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(ParseHostPortTest, ReadsHostAndPort) {
  struct Case {
    const char* text;
    HostPort expected;
  };
  const Case cases[] = {
      {"127.0.0.1:7001", {"127.0.0.1", 7001}},
      {"ride.example:443", {"ride.example", 443}},
      {"[::1]:7001", {"::1", 7001}},
      {"[2001:db8::1]:1", {"2001:db8::1", 1}},
      {"[fe80::1%eth0]:80", {"fe80::1%eth0", 80}},
      {"[::]:0", {"::", 0}},
      {"localhost:0", {"localhost", 0}},
      {"localhost:65535", {"localhost", 65'535}},
      {":7001", {"", 7001}},
      {":0", {"", 0}},
  };
  for (const Case& c : cases) {
    const auto address = ParseHostPort(c.text);
    ASSERT_THAT(address, IsOk()) << c.text;
    EXPECT_EQ(*address, c.expected) << c.text;
    EXPECT_EQ(ToString(*address), c.text);
  }
}

TEST(ParseHostPortTest, QuotesInvalidHostAndPort) {
  for (const char* text : {"",
                           ":",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "localhost:65536",
                           "localhost:99999999999999999999",
                           "localhost:-1",
                           "localhost:+1",
                           "localhost:0x50",
                           "localhost:http",
                           "localhost:80x",
                           "::1",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[::1:80",
                           "::1]:80",
                           "[]:80",
                           "[[::1]]:80",
                           "[127.0.0.1]:80",
                           " localhost:80",
                           "localhost:80 ",
                           "localhost: 80",
                           "local host:80",
                           "localhost:80\n",
                           "a:80,b:80",
                           "http://a:80",
                           "unix:",
                           "unix:/run/trip",
                           "unix:///run/trip:80"}) {
    EXPECT_THAT(ParseHostPort(text),
                StatusIs(absl::StatusCode::kInvalidArgument, "'" + std::string(text) + "'"))
        << text;
  }
}

TEST(WithPortTest, ReplacesThePortAndKeepsTheHost) {
  EXPECT_EQ(WithPort("127.0.0.1:0", 7001), "127.0.0.1:7001");
  EXPECT_EQ(WithPort("[::1]:0", 7001), "[::1]:7001");
  EXPECT_EQ(WithPort(":80", 7001), ":7001");
}

}  // namespace
}  // namespace ridestream
