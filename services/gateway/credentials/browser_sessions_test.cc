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
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::StartsWith;
using testing::StatusIs;

/// The cookie, as a browser sends it, of a session that `sessions` opens for this rider.
std::string CookieOf(BrowserSessions& sessions, const std::string& rider) {
  const std::string field = *sessions.Open({identity::Role::kRider, rider});
  return field.substr(0, field.find(';'));
}

std::string ValueOf(const std::string& cookie) { return cookie.substr(cookie.find('=') + 1); }

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
  const std::string name = "ridestream-session-7000";
  const std::string mine = forged.substr(forged.find(name));
  const std::string value = mine.substr(name.size());
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& cookie :
       {forged, std::string(), name + "=", name, "x-" + mine, mine + "0", name + "=" + site.Code(),
        name + "=" + site.Mint({identity::Role::kViewer, "browser"}), "ridestream-session" + value,
        "ridestream-session-7001" + value, "__Host-ridestream-session" + value}) {
    EXPECT_FALSE(site.sessions->Find({{"cookie", cookie}}).has_value()) << cookie;
  }
  EXPECT_TRUE(site.sessions->Find({{"cookie", mine}}).has_value());
}

TEST(BrowserSessionsTest, RejectsCodeSessionsWhenCodesAreDisabled) {
  SignedIn site;
  const auto others = site.OtherSessions(/*has_codes=*/false);
  EXPECT_FALSE(others->Find(site.Open()).has_value());
  const auto cookie = others->Open({identity::Role::kRider, "ada"});
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

TEST(BrowserSessionsTest, RefusesCookiesOverTlsFromAPageThatCameWithoutTls) {
  SignedIn site;
  site.sessions->SetUrl("https://ride.example");
  const std::string cookie = CookieOf(*site.sessions, "ada");
  const auto from = [&](const char* origin) {
    return Headers{{"host", "ride.example"}, {"cookie", cookie}, {"origin", origin}};
  };
  EXPECT_TRUE(site.sessions->Find(from("https://ride.example")).has_value());
  EXPECT_FALSE(site.sessions->Find(from("http://ride.example")).has_value());
  const auto sign_out = [&](const char* origin) {
    return site.sessions
        ->SignOut({.method = "POST",
                   .path = std::string(BrowserSessions::kSignOutPath),
                   .query = "",
                   .headers = from(origin),
                   .body = ""})
        .status;
  };
  EXPECT_EQ(sign_out("http://ride.example"), 403);
  EXPECT_EQ(sign_out("https://ride.example"), 204);
}

TEST(BrowserSessionsTest, AcceptsOnlyHostPrefixedCookiesOverTls) {
  SignedIn site;
  const std::string plain = CookieOf(*site.sessions, "eve");
  EXPECT_THAT(plain, StartsWith("ridestream-session-7000="));
  EXPECT_TRUE(site.sessions->Find({{"cookie", plain}}).has_value());

  site.sessions->SetUrl("https://ride.example");
  EXPECT_THAT(site.sessions->Address(), StartsWith("https://ride.example/sign-in?code="));
  const std::string address = site.sessions->Address();
  const Response opened = site.Redeem(address.substr(address.find('=') + 1));
  EXPECT_THAT(std::string(opened.headers.Get("set-cookie")),
              AllOf(StartsWith("__Host-ridestream-session="),
                    EndsWith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure")));

  // eve.ride.example plants her own session with Domain=ride.example.
  const std::string value = "=" + ValueOf(plain);
  for (const char* name :
       {"ridestream-session", "ridestream-session-443", "ridestream-session-7000"}) {
    const std::string planted = name + value;
    EXPECT_FALSE(site.sessions->Find({{"cookie", planted}}).has_value()) << name;
    const auto session =
        site.sessions->Find({{"cookie", planted + "; " + CookieOf(*site.sessions, "ada")}});
    ASSERT_TRUE(session.has_value()) << name;
    EXPECT_EQ(session->person, (identity::Principal{identity::Role::kRider, "ada"})) << name;
  }
}

TEST(BrowserSessionsTest, RejectsARequestWithTwoSessionCookies) {
  SignedIn site;
  for (const char* url : {"http://127.0.0.1:7000", "https://ride.example"}) {
    site.sessions->SetUrl(url);
    const std::string ada = CookieOf(*site.sessions, "ada");
    const std::string eve = CookieOf(*site.sessions, "eve");
    EXPECT_FALSE(site.sessions->Find({{"cookie", eve + "; " + ada}}).has_value()) << url;
    EXPECT_FALSE(site.sessions->Find({{"cookie", ada}, {"cookie", eve}}).has_value()) << url;
    EXPECT_TRUE(site.sessions->Find({{"cookie", ada}}).has_value()) << url;
  }
}

TEST(BrowserSessionsTest, HasNoSessionsBeforeItsUrlIsKnown) {
  const SignedIn site;
  const std::string cookie = CookieOf(*site.sessions, "ada");
  const auto starting = *BrowserSessions::Make(
      *identity::TokenSigner::FromPrivateJwk(site.signer.PrivateJwk()), site.rules, site.clock);
  EXPECT_FALSE(starting->Find({{"cookie", cookie}}).has_value());
  EXPECT_THAT(starting->Open({identity::Role::kRider, "ada"}),
              StatusIs(StatusCode::kUnavailable, "is starting"));
  const std::string address = starting->Address();
  const Request request{.method = "GET",
                        .path = std::string(BrowserSessions::kSignInPath),
                        .query = address.substr(address.find('?') + 1),
                        .headers = {},
                        .body = ""};
  EXPECT_EQ(starting->SignIn(request).status, 503);
  starting->SetUrl(std::string(SignedIn::kUrl));
  EXPECT_TRUE(starting->Find({{"cookie", cookie}}).has_value());
  EXPECT_EQ(starting->SignIn(request).status, 303) << "the code wasn't used up";
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
