#include "services/gateway/credentials/browser_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "libs/testing/status_matchers.h"
#include "services/gateway/testing/signed_in.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;
using ::testing::EndsWith;
using ::testing::StartsWith;
using testing::StatusIs;

TEST(BrowserSessionsTest, ACodeOpensASessionForTheBrowserThatComesFirst) {
  SignedIn site;
  const std::string code = site.Code();
  const Response opened = site.Redeem(code);
  EXPECT_EQ(opened.status, 303);
  EXPECT_EQ(opened.headers.Get("location"), "/");
  EXPECT_EQ(opened.headers.Get("cache-control"), "no-store");
  const std::string cookie(opened.headers.Get("set-cookie"));
  EXPECT_THAT(cookie, EndsWith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
  const Headers own = {{"Cookie", "a=b;" + cookie.substr(0, cookie.find(';')) + "; c=d"}};
  EXPECT_TRUE(site.sessions->Find(own).has_value());

  const Response replayed = site.Redeem(code);
  EXPECT_EQ(replayed.status, 403);
  EXPECT_FALSE(replayed.headers.Has("set-cookie"));
  const Response again = site.Redeem(code, own);
  EXPECT_EQ(again.status, 303) << "the session's browser follows its link again";
  EXPECT_FALSE(again.headers.Has("set-cookie"));
  EXPECT_EQ(site.Redeem(site.Code()).status, 303) << "another browser, by the next address";
}

TEST(BrowserSessionsTest, RefusesWrongCodesAndKeepsTheRightOne) {
  SignedIn site;
  const std::string code = site.Code();
  std::string altered = code;
  altered.back() = altered.back() == '0' ? '1' : '0';
  for (const std::string& wrong :
       {std::string(), altered, code + "0", code.substr(1), SignedIn().Code()}) {
    EXPECT_EQ(site.Redeem(wrong).status, 403) << wrong;
  }
  EXPECT_EQ(site.SignIn("GET", "kode=" + code).status, 403);
  EXPECT_EQ(site.SignIn("POST", "code=" + code).status, 405);
  EXPECT_EQ(site.Redeem(code).status, 303);
}

TEST(BrowserSessionsTest, ReplacesAnExpiredCodeWhenItIsUsed) {
  SignedIn site;
  const std::string code = site.Code();
  site.clock.Advance(BrowserSessions::kLifetime + std::chrono::seconds(1));
  EXPECT_EQ(site.Redeem(code).status, 403);
  EXPECT_NE(site.Code(), code);
  EXPECT_EQ(site.Redeem(site.Code()).status, 303);
}

TEST(BrowserSessionsTest, ASessionEndsAfterItsLifetime) {
  SignedIn site;
  const Headers own = site.Open();
  EXPECT_TRUE(site.sessions->Find(own).has_value());
  site.clock.Advance(BrowserSessions::kLifetime + 2 * site.rules.clock_skew);
  EXPECT_FALSE(site.sessions->Find(own).has_value());
}

TEST(BrowserSessionsTest, ASessionOutlivesARestartOfTheGateway) {
  SignedIn site;
  const Headers own = site.Open();
  EXPECT_TRUE(site.OtherSessions()->Find(own).has_value());
  EXPECT_FALSE(SignedIn().sessions->Find(own).has_value()) << "of another key";
}

TEST(BrowserSessionsTest, AcceptsOnlyCookiesOfItsSessions) {
  SignedIn site;
  const Headers own = site.Open();
  std::string forged(own.Get("cookie"));
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& cookie :
       {forged, std::string(), std::string("ridestream-session="),
        std::string("ridestream-session"), "x-" + std::string(own.Get("cookie")).substr(12),
        std::string(own.Get("cookie")) + "0", "ridestream-session=" + site.Code(),
        "ridestream-session=" + site.Mint({identity::Role::kViewer, "browser"})}) {
    EXPECT_FALSE(site.sessions->Find({{"cookie", cookie}}).has_value()) << cookie;
  }
}

TEST(BrowserSessionsTest, AcceptsNoSessionsOfCodesWhereCodesOpenNone) {
  SignedIn site;
  const auto others = BrowserSessions::Make(
      *identity::TokenSigner::FromPrivateJwk(site.signer.PrivateJwk()), site.rules, site.clock,
      /*has_codes=*/false);
  ASSERT_THAT(others, testing::IsOk());
  EXPECT_FALSE((*others)->Find(site.Open()).has_value());
  const auto cookie = (*others)->Open({}, {identity::Role::kRider, "ada"});
  ASSERT_THAT(cookie, testing::IsOk());
  const Headers own = {{"cookie", cookie->substr(0, cookie->find(';'))}};
  const auto session = site.sessions->Find(own);
  ASSERT_TRUE(session.has_value());
  EXPECT_EQ(session->person, (identity::Principal{identity::Role::kRider, "ada"}));
}

TEST(BrowserSessionsTest, RefusesCookiesFromPagesOfOtherOrigins) {
  SignedIn site;
  Headers own = site.Open();
  own.Add("host", "gateway.test:7000");
  Headers foreign = own;
  own.Add("origin", "http://gateway.test:7000");
  foreign.Add("origin", "http://gateway.test:7001");
  EXPECT_TRUE(site.sessions->Find(own).has_value());
  EXPECT_FALSE(site.sessions->Find(foreign).has_value());
}

TEST(BrowserSessionsTest, NamesTheCookieByThePortAndKeepsItToTls) {
  SignedIn site;
  const Response plain = site.Redeem(site.Code(), {{"host", "localhost:7000"}});
  EXPECT_THAT(std::string(plain.headers.Get("set-cookie")), StartsWith("ridestream-session-7000="));
  site.sessions->SetUrl("https://ride.example");
  EXPECT_THAT(site.sessions->Address(), StartsWith("https://ride.example/sign-in?code="));
  const std::string address = site.sessions->Address();
  const Response tls =
      site.Redeem(address.substr(address.find('=') + 1), {{"host", "ride.example"}});
  EXPECT_THAT(std::string(tls.headers.Get("set-cookie")), StartsWith("ridestream-session="));
  EXPECT_THAT(std::string(tls.headers.Get("set-cookie")), EndsWith("; Secure"));
}

TEST(BrowserSessionsTest, MintsTokensOnlyForRidersDriversAndViewers) {
  SignedIn site;
  for (const char* caller : {"rider/ada", "driver/d-1", "viewer/map"}) {
    const auto token = site.sessions->MintToken({}, caller);
    ASSERT_THAT(token, testing::IsOk());
    const auto claims = site.verifier->Verify(*token);
    ASSERT_THAT(claims, testing::IsOk());
    EXPECT_EQ(identity::Name(claims->principal), caller);
  }
  EXPECT_THAT(site.sessions->MintToken({}, "operator/o"),
              StatusIs(StatusCode::kPermissionDenied, ""));
  for (const char* nobody : {"", "ada", "rider/", "service/dispatch", "rider/a b", "rider/a/b"}) {
    EXPECT_THAT(site.sessions->MintToken({}, nobody), StatusIs(StatusCode::kInvalidArgument, ""))
        << nobody;
  }
}

}  // namespace
}  // namespace ridestream::gateway
