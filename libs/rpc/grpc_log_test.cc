#include "libs/rpc/grpc_log.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "libs/testing/captured_log.h"

namespace ridestream::rpc {
namespace {

TEST(GrpcLogTest, AMessageOfGrpcCanNeitherForgeALineNorControlATerminal) {
  const testing::CapturedLog log;
  grpc_init();  // gRPC logs nothing before its initialization.
  LogGrpcMessages();
  const std::string value =
      "x\n2026-01-01 E trip failed error=forged\x1b[2J" + std::string(4'000, 'y');
  gpr_log(GPR_ERROR, "error=Illegal header key=te value=%s", value.c_str());
  gpr_set_log_function(nullptr);
  grpc_shutdown();
  const std::string line = log.text();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  EXPECT_NE(line.find(" grpc message=\"error=Illegal header"), std::string::npos) << line;
  EXPECT_NE(line.find("\\n2026-01-01"), std::string::npos) << line;
  EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
  EXPECT_LT(line.size(), 1'500u);
}

TEST(GrpcLogTest, CountsMessagesBeyondTheLimit) {
  const testing::CapturedLog log;
  grpc_init();
  LogGrpcMessages();
  const std::uint64_t dropped_before = DroppedGrpcMessages();
  constexpr std::uint64_t kMessages = 5'000;
  for (std::uint64_t i = 0; i < kMessages; ++i) gpr_log(GPR_ERROR, "again");
  gpr_set_log_function(nullptr);
  grpc_shutdown();
  const std::string lines = log.text();
  const auto logged = static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
  const std::uint64_t dropped = DroppedGrpcMessages() - dropped_before;
  EXPECT_EQ(logged + dropped, kMessages);
  EXPECT_GT(dropped, 0u);
}

}  // namespace
}  // namespace ridestream::rpc
