// Services with a low limit of open files while somebody holds more connections than that.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/base/host_port.h"
#include "libs/process/authority.h"
#include "libs/process/child_process.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/descriptor.h"
#include "libs/rpc/development_security.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

constexpr int kHeldConnections = 200;
/// With certificates: the header of a record of 512 bytes, of which the handshake waits for the
/// rest.
constexpr std::string_view kFirstBytesOfTls = {"\x16\x03\x01\x02\x00", 5};
/// In plaintext: HTTP/2, which a stranger can't hold open otherwise.
constexpr std::string_view kFirstBytesOfHttp2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

rpc::Descriptor ConnectToPortFrom(const char* from, const std::string& address) {
  rpc::Descriptor connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in end{};
  end.sin_family = AF_INET;
  inet_pton(AF_INET, from, &end.sin_addr);
  EXPECT_EQ(bind(connection.get(), reinterpret_cast<sockaddr*>(&end), sizeof(end)), 0);
  end.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  end.sin_port = htons(ParseHostPort(address).value().port);
  EXPECT_EQ(connect(connection.get(), reinterpret_cast<sockaddr*>(&end), sizeof(end)), 0);
  return connection;
}

struct ServiceUnderTest {
  const char* name;
  const char* service;
  bool insecure;
};

class FewDescriptorsTest : public ::testing::TestWithParam<ServiceUnderTest> {
 protected:
  void SetUp() override {
    const std::string authority = GetParam().insecure ? "" : folder_.File("authority");
    if (!authority.empty()) {
      ASSERT_THAT(process::MakeAuthority(authority), IsOk());
    }
    ASSERT_THAT(rpc::UseDevelopmentAuthority(authority), IsOk());
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    std::vector<std::string> arguments = {"-c", R"(ulimit -n 96 && exec "$0" "$@")",
                                          fmt::format("{}/{}", bin, GetParam().service),
                                          "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0"};
    const auto security = process::SecurityFlags(authority, GetParam().service);
    arguments.insert(arguments.end(), security.begin(), security.end());
    auto process =
        process::ChildProcess::Start({.binary = "/bin/sh",
                                      .arguments = std::move(arguments),
                                      .log_path = folder_.File("log"),
                                      .environment = {{"RIDESTREAM_DATA", folder_.path()}}});
    ASSERT_THAT(process, IsOk());
    process_ = *std::move(process);
    const auto address = process_->WaitUntilServing();
    ASSERT_THAT(address, IsOk());
    address_ = *address;
  }

  bool Answers() const {
    const auto stub = grpc::health::v1::Health::NewStub(rpc::MakeChannel(address_));
    grpc::ClientContext context;
    rpc::SetTimeout(context, 30s);
    grpc::health::v1::HealthCheckResponse response;
    const grpc::Status status = stub->Check(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message() << "\n" << process_->LogEnd();
    return status.ok();
  }

  const testing::TempFolder folder_;
  std::unique_ptr<process::ChildProcess> process_;
  std::string address_;
};

TEST_P(FewDescriptorsTest, AnswersWhileConnectionsThatSendNothingAreHeld) {
  std::deque<rpc::Descriptor> held;
  for (int i = 0; i < kHeldConnections; ++i)
    held.push_back(ConnectToPortFrom("127.0.0.1", address_));
  EXPECT_TRUE(Answers());
}

TEST_P(FewDescriptorsTest, AnswersOthersWhileOneAddressHoldsConnectionsThatHaveSpoken) {
  std::deque<rpc::Descriptor> held;
  for (int i = 0; i < kHeldConnections; ++i) {
    held.push_back(ConnectToPortFrom("127.0.0.2", address_));
    const std::string_view said = GetParam().insecure ? kFirstBytesOfHttp2 : kFirstBytesOfTls;
    (void)send(held.back().get(), said.data(), said.size(), MSG_NOSIGNAL);
  }
  EXPECT_TRUE(Answers());
}

INSTANTIATE_TEST_SUITE_P(Services, FewDescriptorsTest,
                         ::testing::Values(ServiceUnderTest{"Trip", "trip", false},
                                           ServiceUnderTest{"Location", "location", false},
                                           ServiceUnderTest{"TripInPlaintext", "trip", true},
                                           ServiceUnderTest{"LocationInPlaintext", "location",
                                                            true}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace ridestream::chaos
