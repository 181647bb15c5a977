#include "libs/rpc/acceptor.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/rpc/listener.h"
#include "libs/rpc/server.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::StatusIs;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

void Connect(const Descriptor& socket, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  EXPECT_EQ(connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
}

/// Connects from one of the loopback addresses, and sends nothing.
Descriptor ConnectFrom(const char* address, int port) {
  Descriptor connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in from{};
  from.sin_family = AF_INET;
  inet_pton(AF_INET, address, &from.sin_addr);
  EXPECT_EQ(bind(connection.get(), reinterpret_cast<sockaddr*>(&from), sizeof(from)), 0);
  Connect(connection, port);
  return connection;
}

void SendPreface(const Descriptor& connection) {
  (void)send(connection.get(), kPreface.data(), kPreface.size(), MSG_NOSIGNAL);
}

/// Whether the server answers HTTP/2's first bytes; if not, it has closed the connection.
bool IsServed(const Descriptor& connection) {
  SendPreface(connection);
  char byte = 0;
  return recv(connection.get(), &byte, 1, 0) == 1;
}

/// Blocks until the other side has closed a connection on which it sent nothing.
void AwaitClose(const Descriptor& connection) {
  char byte = 0;
  EXPECT_LE(recv(connection.get(), &byte, 1, 0), 0);
}

std::shared_ptr<ConnectionTable> Limits(std::size_t in_all, std::size_t per_address) {
  return std::make_shared<ConnectionTable>(
      ConnectionLimits{.in_all = in_all, .per_address = per_address});
}

TEST(AcceptorTest, ServerClosesConnectionsOfAnAddressBeyondItsLimitAndServesOthers) {
  const auto table = Limits(100, 3);
  const auto server = Server::Start({.connections = table});
  ASSERT_THAT(server, IsOk());
  const int port = (*server)->port();
  std::vector<Descriptor> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(ConnectFrom("127.0.0.1", port));
    EXPECT_TRUE(IsServed(held.back())) << i;
  }
  EXPECT_FALSE(IsServed(ConnectFrom("127.0.0.1", port)));
  EXPECT_EQ(table->refused(), 1u);
  EXPECT_EQ(table->CountOpen(), 3u);
  EXPECT_TRUE(IsServed(ConnectFrom("127.0.0.2", port)));
  held.pop_back();
  // gRPC closes its end a moment later.
  while (!IsServed(ConnectFrom("127.0.0.1", port))) {
  }
}

TEST(AcceptorTest, ServerClosesConnectionsBeyondTheTotalLimit) {
  const auto server = Server::Start({.connections = Limits(3, 2)});
  ASSERT_THAT(server, IsOk());
  const int port = (*server)->port();
  std::vector<Descriptor> held;
  for (const char* address : {"127.0.0.1", "127.0.0.1", "127.0.0.2"}) {
    held.push_back(ConnectFrom(address, port));
    EXPECT_TRUE(IsServed(held.back())) << address;
  }
  EXPECT_FALSE(IsServed(ConnectFrom("127.0.0.3", port)));
  held.clear();
  while (!IsServed(ConnectFrom("127.0.0.3", port))) {
  }
}

TEST(AcceptorTest, OldestSilentConnectionIsClosedForANewOne) {
  const auto table = std::make_shared<ConnectionTable>(
      ConnectionLimits{.in_all = 2, .per_address = 1, .silent = 2});
  auto acceptor =
      Acceptor::Listen({.address = "127.0.0.1:0", .connections = table, .patience = 1h});
  ASSERT_THAT(acceptor, IsOk());
  std::promise<void> handed_over;
  Descriptor served;
  (*acceptor)->Start([&](int descriptor) {
    served = Descriptor(descriptor);
    handed_over.set_value();
  });
  const int port = (*acceptor)->port();
  const Descriptor one = ConnectFrom("127.0.0.1", port);
  const Descriptor two = ConnectFrom("127.0.0.1", port);
  const Descriptor three = ConnectFrom("127.0.0.1", port);
  AwaitClose(one);
  EXPECT_EQ(table->CountOpen(), 0u);
  SendPreface(two);
  handed_over.get_future().wait();
  EXPECT_EQ(table->CountOpen(), 1u);
  (*acceptor)->Stop();
  AwaitClose(three);
}

TEST(AcceptorTest, HoldsManyConnectionsUntilTheirFirstBytes) {
  constexpr int kAtOnce = 500;
  auto acceptor = Acceptor::Listen(
      {.address = "127.0.0.1:0", .connections = Limits(kAtOnce, kAtOnce), .patience = 1h});
  ASSERT_THAT(acceptor, IsOk());
  std::vector<Descriptor> served;
  std::promise<void> all_handed_over;
  (*acceptor)->Start([&](int descriptor) {
    served.emplace_back(descriptor);
    if (served.size() == kAtOnce) all_handed_over.set_value();
  });
  std::vector<Descriptor> clients;
  for (int i = 0; i < kAtOnce; ++i) {
    clients.push_back(ConnectFrom("127.0.0.1", (*acceptor)->port()));
  }
  for (const Descriptor& client : clients) SendPreface(client);
  EXPECT_EQ(all_handed_over.get_future().wait_for(20s), std::future_status::ready);
  (*acceptor)->Stop();
}

TEST(AcceptorTest, ClosesAConnectionThatStaysSilent) {
  auto acceptor =
      Acceptor::Listen({.address = "127.0.0.1:0", .connections = Limits(2, 1), .patience = 1ms});
  ASSERT_THAT(acceptor, IsOk());
  (*acceptor)->Start([](int) { FAIL() << "handed over"; });
  AwaitClose(ConnectFrom("127.0.0.1", (*acceptor)->port()));
}

TEST(AcceptorTest, AcceptsTheSelfProbeWhenALimitIsReached) {
  const auto table = Limits(0, 0);
  auto acceptor = Acceptor::Listen({.address = "127.0.0.1:0", .connections = table});
  ASSERT_THAT(acceptor, IsOk());
  std::promise<Descriptor> taken;
  (*acceptor)->Start([&taken](int descriptor) { taken.set_value(Descriptor(descriptor)); });
  EXPECT_FALSE(IsServed(ConnectFrom("127.0.0.1", (*acceptor)->port())));
  EXPECT_EQ(table->refused(), 1u);
  const auto own = (*acceptor)->ConnectToSelf(10s);
  EXPECT_THAT(own, IsOk());
  taken.get_future().wait();
}

/// Lowers the limit of open files while it exists.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t most) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit few{most, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(AcceptorTest, AcceptsAgainAfterTheProcessWasOutOfDescriptors) {
  auto acceptor =
      Acceptor::Listen({.address = "127.0.0.1:0", .connections = Limits(9, 9), .patience = 1h});
  ASSERT_THAT(acceptor, IsOk());
  std::promise<Descriptor> taken[2];
  int next = 0;
  (*acceptor)->Start([&](int descriptor) { taken[next++].set_value(Descriptor(descriptor)); });
  const int port = (*acceptor)->port();
  const Descriptor silent = ConnectFrom("127.0.0.1", port);
  const Descriptor first = ConnectFrom("127.0.0.1", port);
  SendPreface(first);
  taken[0].get_future().wait();  // So `silent` has been accepted as well.
  Descriptor second(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  {
    const FewDescriptors none(3);
    Connect(second, port);
    SendPreface(second);
    AwaitClose(silent);  // Closed in vain, to make room for the second connection.
  }
  taken[1].get_future().wait();
}

TEST(ListenOnTest, AcceptsEachFormOfAddressAndRefusesOthers) {
  for (const char* address : {"0.0.0.0:0", "localhost:0", "127.0.0.1:0", "[::]:0", "[::1]:0"}) {
    auto acceptor = Acceptor::Listen({.address = address, .connections = Limits(1, 1)});
    ASSERT_THAT(acceptor, IsOk()) << address;
    std::promise<Descriptor> taken;
    (*acceptor)->Start([&taken](int descriptor) { taken.set_value(Descriptor(descriptor)); });
    const auto own = (*acceptor)->ConnectToSelf(10s);
    EXPECT_THAT(own, IsOk()) << address;
    taken.get_future().wait();
  }
  for (const char* address : {"nowhere", "127.0.0.1:x", "::1:0"}) {
    EXPECT_THAT(ListenOn(address), StatusIs(absl::StatusCode::kInvalidArgument, address));
  }
  EXPECT_THAT(ListenOn("192.0.2.1:0"), StatusIs(absl::StatusCode::kUnavailable, "192.0.2.1:0"));
}

TEST(ListenOnTest, WildcardOfIpv6TakesIpv4AsWell) {
  const auto server = Server::Start({.address = "[::]:0"});
  ASSERT_THAT(server, IsOk());
  EXPECT_TRUE(IsServed(ConnectFrom("127.0.0.1", (*server)->port())));
}

TEST(WithinDescriptorsTest, LeavesFilesToTheProcessAndHalfOfTheConnectionsToOthers) {
  const FewDescriptors few(96);
  EXPECT_EQ(WithinDescriptors({}).in_all, 48u);
  EXPECT_EQ(WithinDescriptors({}).per_address, 24u);
  EXPECT_EQ(WithinDescriptors({}).silent, 16u);
  EXPECT_EQ(WithinDescriptors({.silent = 3}).silent, 3u);
  EXPECT_EQ(WithinDescriptors({.in_all = 10, .per_address = 3}).in_all, 10u);
  EXPECT_EQ(WithinDescriptors({.in_all = 10, .per_address = 3}).per_address, 3u);
}

}  // namespace
}  // namespace ridestream::rpc
