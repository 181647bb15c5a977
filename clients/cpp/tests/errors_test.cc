#include "clients/cpp/src/errors.h"

#include <gtest/gtest.h>

namespace ridestream::client {
namespace {

TEST(ErrorsTest, DetailsOfReturnsTheDetailsOfAnError) {
  const absl::Status error = MakeError(absl::StatusCode::kFailedPrecondition, "elsewhere",
                                       {.kind = ErrorKind::kRejected,
                                        .retry_after = std::chrono::milliseconds(500),
                                        .market = "porto",
                                        .address = "10.0.0.7:7003"});
  const ErrorDetails details = DetailsOf(error);
  EXPECT_EQ(details.kind, ErrorKind::kRejected);
  EXPECT_EQ(details.retry_after, std::chrono::milliseconds(500));
  EXPECT_EQ(details.market, "porto");
  EXPECT_EQ(details.address, "10.0.0.7:7003");
}

TEST(ErrorsTest, StatusOfATokenSourceHasNoDetails) {
  const ErrorDetails details = DetailsOf(absl::NotFoundError("no token"));
  EXPECT_EQ(details.kind, ErrorKind::kStatus);
  EXPECT_EQ(details.retry_after, std::nullopt);
}

TEST(ErrorsTest, OnlyADifferentProofMayBeRetried) {
  RefusedProof refused;
  EXPECT_FALSE(refused.MayRetry(""));
  EXPECT_TRUE(refused.MayRetry("one"));
  EXPECT_FALSE(refused.MayRetry("one"));
  EXPECT_TRUE(refused.MayRetry("two"));
}

}  // namespace
}  // namespace ridestream::client
