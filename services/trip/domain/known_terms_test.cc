#include "services/trip/domain/known_terms.h"

#include <gtest/gtest.h>

#include "libs/rpc/stale_term.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::trip {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(KnownTermsTest, RefusesATermThatIsOlderThanTheNewestOfItsMarket) {
  KnownTerms terms;
  EXPECT_THAT(terms.Accept("city", 0), IsOk()) << "where there never was a lease";
  terms.Learn("city", 2);
  terms.Learn("city", 1);  // An answer that came late.
  const absl::Status refused = terms.Accept("city", 1);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition,
                                "term 1 of market 'city' is over: its lease is in term 2"));
  EXPECT_TRUE(rpc::IsStaleTerm(refused));
  EXPECT_THAT(terms.Accept("city", 2), IsOk());
  EXPECT_THAT(terms.Accept("elsewhere", 1), IsOk());
}

TEST(KnownTermsTest, LearnsFromWhatItAccepts) {
  KnownTerms terms;
  EXPECT_THAT(terms.Accept("city", 5), IsOk());
  EXPECT_THAT(terms.Accept("city", 4), StatusIs(absl::StatusCode::kFailedPrecondition, "term 5"));
}

}  // namespace
}  // namespace ridestream::trip
