#include "clients/cpp/src/route.h"

#include <gtest/gtest.h>

#include "ridestream/client/errors.h"

namespace ridestream::client {
namespace {

TEST(RouteTest, AlternatesBetweenTwoAddressesUntilAWelcome) {
  Route route("home:1");
  const auto end = [&](const std::string& named, const std::string& next, bool is_first) {
    const absl::StatusOr<bool> is_redirect = route.OnEnd(named);
    ASSERT_TRUE(is_redirect.ok()) << is_redirect.status();
    EXPECT_EQ(*is_redirect, is_first) << named;
    EXPECT_EQ(route.address(), next);
  };
  end("", "home:1", false);
  end("other:2", "other:2", true);
  end("third:3", "third:3", false);
  end("", "home:1", false);
  end("", "third:3", false);
  route.OnWelcome();
  end("", "third:3", false);
  route.OnWelcome();
  end("[::1]:4", "[::1]:4", true);
}

TEST(RouteTest, AddressWithoutHostAndPortIsAProtocolError) {
  for (const char* named : {"nowhere", "unix:///tmp/x", "a b:1", ":1", "host:1\n", "host:123456",
                            "[]:1", "[x]:1", "::1:1"}) {
    Route route("home:1");
    EXPECT_EQ(DetailsOf(route.OnEnd(named).status()).kind, ErrorKind::kProtocol) << named;
    EXPECT_EQ(route.address(), "home:1");
  }
}

}  // namespace
}  // namespace ridestream::client
