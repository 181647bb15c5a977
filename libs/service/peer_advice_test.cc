#include "libs/service/peer_advice.h"

#include <gtest/gtest.h>

#include <string>

namespace ridestream::service {
namespace {

TEST(PeerAdviceTest, NamesTheFlagThatIsProbablyWrong) {
  const struct {
    absl::Status status;
    std::string advice;
    Level level;
  } cases[] = {
      {absl::FailedPreconditionError("market 'b' isn't served here"),
       "give --markets only markets that trip at --trip=a:1 serves", Level::kError},
      {absl::UnimplementedError(""), "--trip=a:1 is another service; give the address of trip",
       Level::kError},
      {absl::UnavailableError("connection refused"),
       "check --trip=a:1, and whether trip is running", Level::kWarning},
      {absl::InternalError("a bug"), "", Level::kWarning},
  };
  for (const auto& [status, advice, level] : cases) {
    EXPECT_EQ(AdviceOn(status, "trip", "a:1"), advice) << status;
    EXPECT_EQ(LevelOf(status), level) << status;
  }
}

}  // namespace
}  // namespace ridestream::service
