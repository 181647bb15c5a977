#include "libs/rpc/peer_address.h"

#include <gtest/gtest.h>

namespace ridestream::rpc {
namespace {

TEST(PeerAddressTest, CountsByMachineOrNetwork) {
  struct Case {
    const char* peer;
    const char* name;
    bool is_local;
  };
  const Case cases[] = {
      {"ipv4:192.0.2.7:50412", "ipv4:192.0.2.7", false},
      {"ipv4:127.0.0.1:1", "ipv4:127.0.0.1", true},
      {"ipv6:%5B2001:db8:0:1:2:3:4:5%5D:50412", "ipv6:2001:db8:0:1::/64", false},
      {"ipv6:[2001:db8:0:1::9]:50413", "ipv6:2001:db8:0:1::/64", false},
      {"ipv6:%5Bfe80::1%25eth0%5D:50412", "ipv6:fe80::/64", false},
      {"ipv6:%5B::1%5D:50412", "ipv6:::/64", true},
      {"ipv6:[::ffff:192.0.2.7]:50412", "ipv4:192.0.2.7", false},
      {"ipv6:[::ffff:127.0.0.1]:50412", "ipv4:127.0.0.1", true},
      {"unix:/run/socket", "unix:/run/socket", true},
      {"ipv6:nonsense:1", "nonsense", false},
  };
  for (const Case& c : cases) {
    const PeerAddress address = ParsePeer(c.peer);
    EXPECT_EQ(address.name, c.name) << c.peer;
    EXPECT_EQ(address.is_local, c.is_local) << c.peer;
  }
}

}  // namespace
}  // namespace ridestream::rpc
