#include "tests/chaos/recovery.h"

#include <gtest/gtest.h>

#include <fstream>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

WallTime At(std::chrono::milliseconds time) { return WallTime(std::chrono::hours(1) + time); }
Occurrence Fault(std::chrono::milliseconds began, std::chrono::milliseconds ended) {
  return {{began, Deed::kFreeze, Target::kTrip, ended - began}, At(began), At(ended)};
}

TEST(RecoveryTest, CountsFromTheFaultsEndToAnOfferForALaterRequest) {
  const auto recoveries = Recoveries({Fault(10s, 14s)}, {{At(13s), At(14500ms)},    // Asked before.
                                                         {At(14200ms), At(16s)},    // The second.
                                                         {At(14400ms), At(15s)}});  // The first.
  ASSERT_EQ(recoveries.size(), 1u);
  EXPECT_EQ(recoveries[0], Seconds(1.0));
}

TEST(RecoveryTest, FaultsThatOverlapAreOneOutage) {
  const auto recoveries = Recoveries({Fault(10s, 14s), Fault(13s, 17s), Fault(17s, 17s)},
                                     {{At(15s), At(16s)}, {At(18s), At(19s)}});
  for (const auto& recovery : recoveries) EXPECT_EQ(recovery, Seconds(2.0));
}

TEST(RecoveryTest, IgnoresFaultsThatBeganLater) {
  const auto recoveries = Recoveries({Fault(10s, 10s), Fault(12s, 20s)}, {{At(21s), At(22s)}});
  EXPECT_EQ(recoveries[0], Seconds(12.0));
  EXPECT_EQ(recoveries[1], Seconds(2.0));
}

TEST(RecoveryTest, HasNoRecoveryWithoutALaterOffer) {
  EXPECT_FALSE(Recoveries({Fault(10s, 10s)}, {{At(9s), At(11s)}})[0].has_value());
}

TEST(RecoveryTest, InvalidLineIsNamed) {
  const testing::TempFolder folder;
  const std::string path = folder.File("offers.csv");
  std::ofstream(path) << "due_us,offered_us\n1,2\nx\n";
  EXPECT_THAT(ReadOffers(path),
              testing::StatusIs(absl::StatusCode::kInvalidArgument, "offers.csv:3"));
  std::ofstream(path) << "due_us,offered_us\n1,2\n";
  const auto offers = ReadOffers(path);
  ASSERT_THAT(offers, testing::IsOk());
  ASSERT_EQ(offers->size(), 1u);
  EXPECT_EQ((*offers)[0].offered.time_since_epoch(), 2us);
}

}  // namespace
}  // namespace ridestream::chaos
