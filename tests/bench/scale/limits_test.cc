#include "tests/bench/scale/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/testing/status_matchers.h"

namespace ridestream::bench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;

constexpr Machine kLarge{.open_files = 1'048'576, .ports = 28'232, .available_bytes = 20ULL << 30};

std::string ErrorWith(const Machine& machine) {
  const absl::Status status = CheckLimits(100'000, 4, machine);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  return std::string(status.message());
}

TEST(ScaleLimitsTest, LargeMachineTakesAHundredThousandDrivers) {
  EXPECT_THAT(CheckLimits(100'000, 4, kLarge), IsOk());
}

TEST(ScaleLimitsTest, NamesEachLimitThatMustBeRaised) {
  Machine machine = kLarge;
  machine.open_files = 512;  // 25,000 drivers on 313 connections.
  EXPECT_THAT(ErrorWith(machine), AllOf(HasSubstr("613 open files"), HasSubstr("ulimit -Hn 613")));
  machine = kLarge;
  machine.ports = 600;
  EXPECT_THAT(ErrorWith(machine), HasSubstr("net.ipv4.ip_local_port_range"));
  machine = kLarge;
  machine.available_bytes = 4ULL << 30;
  EXPECT_THAT(ErrorWith(machine),
              AllOf(HasSubstr("4096 MiB are available"), HasSubstr("--drivers")));
}

TEST(ScaleLimitsTest, ReadsTheLimitsOfThisMachine) {
  const auto machine = ThisMachine();
  ASSERT_THAT(machine, IsOk());
  EXPECT_GT(machine->open_files, 0u);
  EXPECT_GT(machine->ports, 0u);
  EXPECT_GT(machine->available_bytes, 1u << 20);
}

}  // namespace
}  // namespace ridestream::bench
