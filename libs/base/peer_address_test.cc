#include "libs/base/peer_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace ridestream {
namespace {

sockaddr_storage SocketAddress(const std::string& host) {
  sockaddr_storage address{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  v4.sin_port = htons(50'412);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    address.ss_family = AF_INET;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    address.ss_family = AF_INET6;
  }
  return address;
}

TEST(PeerAddressTest, SocketAndCallOfOnePeerHaveTheNameOfItsMachineOrNetwork) {
  struct Case {
    const char* host;
    const char* name;
    bool is_local;
  };
  const Case cases[] = {
      {"192.0.2.7", "ipv4:192.0.2.7", false},
      {"192.0.2.8", "ipv4:192.0.2.8", false},
      {"127.0.0.1", "ipv4:127.0.0.1", true},
      {"127.1.2.3", "ipv4:127.1.2.3", true},
      {"128.0.0.1", "ipv4:128.0.0.1", false},
      {"2001:db8:0:1:2:3:4:5", "ipv6:2001:db8:0:1::/64", false},
      {"2001:db8:0:1::9", "ipv6:2001:db8:0:1::/64", false},
      {"2001:db8:0:2::9", "ipv6:2001:db8:0:2::/64", false},
      {"fe80::1", "ipv6:fe80::/64", false},
      {"::1", "ipv6:::/64", true},
      {"::2", "ipv6:::/64", false},
      {"::ffff:192.0.2.7", "ipv4:192.0.2.7", false},
      {"::ffff:127.0.0.1", "ipv4:127.0.0.1", true},
  };
  for (const Case& c : cases) {
    const std::string host = c.host;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    const std::string peer = is_ipv6 ? "ipv6:%5B" + host + "%5D:50412" : "ipv4:" + host + ":50412";
    for (const PeerAddress& address : {ToPeerAddress(SocketAddress(host)), ParsePeer(peer)}) {
      EXPECT_EQ(address.name, c.name) << host;
      EXPECT_EQ(address.is_local, c.is_local) << host;
    }
  }
}

TEST(PeerAddressTest, ReadsTheOtherFormsOfGrpcsPeerNames) {
  struct Case {
    const char* peer;
    const char* name;
    bool is_local;
  };
  const Case cases[] = {
      {"ipv6:[2001:db8:0:1::9]:50413", "ipv6:2001:db8:0:1::/64", false},
      {"ipv6:%5Bfe80::1%25eth0%5D:50412", "ipv6:fe80::/64", false},
      {"unix:/run/socket", "unix:/run/socket", true},
      {"unix:", "unix:", true},
      {"inproc", "inproc", true},
      {"ipv6:nonsense:1", "ipv6:nonsense:1", false},
      {"ipv4:nonsense:1", "ipv4:nonsense:1", false},
      {"ipv4:192.0.2.7", "ipv4:192.0.2.7", false},
  };
  for (const Case& c : cases) {
    const PeerAddress address = ParsePeer(c.peer);
    EXPECT_EQ(address.name, c.name) << c.peer;
    EXPECT_EQ(address.is_local, c.is_local) << c.peer;
  }
}

TEST(PeerAddressTest, TakesAHostForAPeerIfItIsAnAddress) {
  EXPECT_EQ(ParsePeer(PeerOfHost("192.0.2.7").value_or("")).name, "ipv4:192.0.2.7");
  EXPECT_EQ(ParsePeer(PeerOfHost("2001:db8:0:1::9").value_or("")).name, "ipv6:2001:db8:0:1::/64");
  EXPECT_EQ(ParsePeer(PeerOfHost("::ffff:192.0.2.7").value_or("")).name, "ipv4:192.0.2.7");
  for (const char* other : {"", "localhost", "192.0.2.7:80", "192.0.2.7, 192.0.2.8", "[::1]", "1",
                            " 192.0.2.7", "fe80::1%eth0", "192.0.2.7\n"}) {
    EXPECT_EQ(PeerOfHost(other), std::nullopt) << other;
  }
}

TEST(PeerAddressTest, SocketsWithoutAnAddressOfTheInternetShareAName) {
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_EQ(ToPeerAddress(local).name, "unix");
  EXPECT_TRUE(ToPeerAddress(local).is_local);
  EXPECT_EQ(ToPeerAddress({}).name, "unknown");
  EXPECT_FALSE(ToPeerAddress({}).is_local);
}

}  // namespace
}  // namespace ridestream
