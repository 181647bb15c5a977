#include "deploy/healthprobe/check_health.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "gtest/gtest.h"
#include "libs/rpc/server.h"
#include "libs/testing/status_matchers.h"

namespace ridestream {
namespace {

using ::ridestream::testing::IsOk;
using ::ridestream::testing::StatusIs;
using ::testing::Not;

constexpr std::chrono::milliseconds kAmple{10'000};

std::string Loopback(int port) { return fmt::format("127.0.0.1:{}", port); }

TEST(CheckHealth, AServerThatServesIsHealthy) {
  auto server = rpc::Server::Start({});
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(CheckHealth(Loopback((*server)->port()), kAmple), IsOk());
}

TEST(CheckHealth, AServerThatIsNotReadyIsUnhealthyUntilItIs) {
  auto server = rpc::Server::Start({});
  ASSERT_THAT(server, IsOk());
  const std::string address = Loopback((*server)->port());
  (*server)->SetServing(false);
  EXPECT_THAT(CheckHealth(address, kAmple),
              StatusIs(absl::StatusCode::kUnavailable, "is not serving"));
  (*server)->SetServing(true);
  EXPECT_THAT(CheckHealth(address, kAmple), IsOk());
}

// A port of the loopback that is bound, so that nobody else takes it.
class BoundPort {
 public:
  BoundPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, generic, size) == 0 && getsockname(socket_, generic, &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  ~BoundPort() { close(socket_); }
  int port() const { return port_; }
  bool Listen() const { return listen(socket_, 1) == 0; }

 private:
  const int socket_;
  int port_ = 0;
};

TEST(CheckHealth, ClosedPortIsUnhealthy) {
  const BoundPort bound;
  ASSERT_NE(bound.port(), 0);
  EXPECT_THAT(CheckHealth(Loopback(bound.port()), kAmple),
              StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST(CheckHealth, AServerThatNeverAnswersIsUnhealthy) {
  const BoundPort silent;
  ASSERT_TRUE(silent.Listen());
  EXPECT_THAT(CheckHealth(Loopback(silent.port()), std::chrono::milliseconds(200)), Not(IsOk()));
}

}  // namespace
}  // namespace ridestream
