// Services that may open few files, while somebody holds more connections than that.

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

#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/base/host_port.h"
#include "libs/process/child_process.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/descriptor.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;

constexpr int kHeldConnections = 200;
constexpr std::string_view kFirstBytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

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

class FewDescriptorsTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    auto process = process::ChildProcess::Start(
        {.binary = "/bin/sh",
         .arguments = {"-c", R"(ulimit -n 96 && exec "$0" "$@")",
                       fmt::format("{}/{}", bin, GetParam()), "--listen=127.0.0.1:0",
                       "--metrics_listen=127.0.0.1:0", "--insecure"},
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
    (void)send(held.back().get(), kFirstBytes.data(), kFirstBytes.size(), MSG_NOSIGNAL);
  }
  EXPECT_TRUE(Answers());
}

INSTANTIATE_TEST_SUITE_P(Services, FewDescriptorsTest, ::testing::Values("trip", "location"),
                         [](const auto& service) { return std::string(service.param); });

}  // namespace
}  // namespace ridestream::chaos
