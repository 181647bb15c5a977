#include "services/gateway/credentials/credentials.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "libs/testing/status_matchers.h"
#include "services/gateway/testing/signed_in.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;
using identity::Role;
using testing::IsOk;
using testing::StatusIs;

class CredentialsTest : public ::testing::Test {
 protected:
  static CallOptions CallWith(const Headers& metadata) {
    return {.metadata = metadata, .timeout = {}, .request_id = "r"};
  }

  SignedIn site_;
  const Anonymizer anonymizer_{*Pseudonyms::Random()};
  const Credentials credentials_{anonymizer_, *site_.verifier, site_.sessions.get()};
};

TEST_F(CredentialsTest, ForwardsAValidTokenInsteadOfTheClaimedName) {
  const std::string token = site_.Mint({Role::kDriver, "d-1"});
  CallOptions call = CallWith({{"traceparent", "t"},
                               {"ridestream-caller", "operator/root"},
                               {"authorization", "bearer " + token}});
  ASSERT_THAT(credentials_.Prove({}, call), IsOk());
  EXPECT_EQ(call.metadata.Get("authorization"), "Bearer " + token);
  EXPECT_EQ(call.metadata.Get("traceparent"), "t");
  EXPECT_FALSE(call.metadata.Has("ridestream-caller"));
  EXPECT_EQ(call.caller_class, CallerClass::kDriver);
}

TEST_F(CredentialsTest, RefusesCallersWithoutProof) {
  const std::string expired = site_.Mint({Role::kRider, "ada"}, std::chrono::hours(-2));
  const std::string foreign = SignedIn().Mint({Role::kRider, "ada"});
  const Headers cases[] = {{},
                           {{"ridestream-caller", "rider/ada"}},
                           {{"authorization", ""}},
                           {{"authorization", "Basic YTpi"}},
                           {{"authorization", "Bearer "}},
                           {{"authorization", "Bearer rubbish"}},
                           {{"authorization", "Bearer " + expired}},
                           {{"authorization", "Bearer " + foreign}}};
  for (const Headers& metadata : cases) {
    CallOptions call = CallWith(metadata);
    EXPECT_THAT(credentials_.Prove({{"cookie", "ridestream-session=0"}}, call),
                StatusIs(StatusCode::kUnauthenticated, ""))
        << metadata.Get("authorization");
  }
}

TEST_F(CredentialsTest, SignsForTheCallerThatASessionNames) {
  const Headers browser = site_.Open();
  CallOptions call = CallWith({{"ridestream-caller", "rider/ada"}});
  ASSERT_THAT(credentials_.Prove(browser, call), IsOk());
  const auto claims = site_.verifier->Verify(call.metadata.Get("authorization").substr(7));
  ASSERT_THAT(claims, IsOk());
  EXPECT_EQ(identity::Name(claims->principal), "rider/ada");
  EXPECT_FALSE(call.metadata.Has("ridestream-caller"));
  EXPECT_EQ(call.caller_class, CallerClass::kRider);

  CallOptions privileged = CallWith({{"ridestream-caller", "operator/root"}});
  EXPECT_THAT(credentials_.Prove(browser, privileged), StatusIs(StatusCode::kPermissionDenied, ""));
  CallOptions nobody = CallWith({});
  EXPECT_THAT(credentials_.Prove(browser, nobody), StatusIs(StatusCode::kInvalidArgument, ""));
  CallOptions wrong_token =
      CallWith({{"ridestream-caller", "rider/ada"}, {"authorization", "Bearer rubbish"}});
  EXPECT_THAT(credentials_.Prove(browser, wrong_token), StatusIs(StatusCode::kUnauthenticated, ""))
      << "the token decides where there is one";
}

TEST_F(CredentialsTest, SessionMayNameADriverByItsPseudonym) {
  const std::string pseudonym = anonymizer_.pseudonyms().Hide("jane-doe");
  CallOptions call = CallWith({{"ridestream-caller", "driver/" + pseudonym}});
  ASSERT_THAT(credentials_.Prove(site_.Open(), call), IsOk());
  EXPECT_EQ(identity::Name(call.caller->principal), "driver/jane-doe");
  CallOptions trusted = CallWith({{"ridestream-caller", "driver/" + pseudonym}});
  ASSERT_THAT(Credentials(anonymizer_).Prove({}, trusted), IsOk());
  EXPECT_EQ(trusted.metadata.Get("ridestream-caller"), "driver/jane-doe");
}

TEST_F(CredentialsTest, RefusesEveryCallByDefault) {
  CallOptions call = CallWith({{"ridestream-caller", "rider/ada"}});
  EXPECT_THAT(Credentials().Prove({}, call), StatusIs(StatusCode::kUnauthenticated, ""));
}

TEST_F(CredentialsTest, RefusesCookiesWithoutBrowserSessions) {
  const Headers browser = site_.Open();
  CallOptions call = CallWith({{"ridestream-caller", "rider/ada"}});
  EXPECT_THAT(Credentials(anonymizer_, *site_.verifier).Prove(browser, call),
              StatusIs(StatusCode::kUnauthenticated, ""));
}

TEST_F(CredentialsTest, ForwardsTheClaimedNameWhenInsecure) {
  CallOptions call = CallWith({{"ridestream-caller", "rider/ada"}});
  ASSERT_THAT(Credentials(anonymizer_).Prove({}, call), IsOk());
  EXPECT_EQ(call.metadata.Get("ridestream-caller"), "rider/ada");
}

}  // namespace
}  // namespace ridestream::gateway
