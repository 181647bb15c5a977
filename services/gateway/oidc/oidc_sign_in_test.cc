// Sign-in at a provider over HTTPS, through a gateway over HTTP, as a browser sees it.

#include "services/gateway/oidc/oidc_sign_in.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/identity/token.h"
#include "libs/testing/captured_log.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/oidc_provider.h"
#include "services/gateway/testing/signed_in.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using ::testing::StartsWith;
using testing::StatusIs;
using Behavior = TestOidcProvider::Behavior;

constexpr char kSession[] = "ridestream-session-";
constexpr char kAttempt[] = "ridestream-sign-in-";

/// Keeps cookies as a browser does.
class Browser {
 public:
  explicit Browser(int port) : port_(port), host_(fmt::format("127.0.0.1:{}", port)) {}

  TestClient::Answer Call(std::string_view method, const std::string& target, Headers headers = {},
                          std::string_view body = {}) {
    std::string cookies;
    for (const auto& [name, value] : cookies_) cookies += fmt::format("{}={}; ", name, value);
    if (!cookies.empty()) headers.Add("cookie", cookies);
    if (!headers.Has("host")) headers.Add("host", host_);
    auto answer = TestClient(port_).Call(method, target, headers, body);
    for (const auto& [name, value] : answer.headers) {
      if (SameName(name, "set-cookie")) Keep(value);
    }
    return answer;
  }
  TestClient::Answer Get(const std::string& target) { return Call("GET", target); }

  /// The whole field Set-Cookie of the cookie that begins so; empty if there is none.
  std::string Cookie(std::string_view name) const {
    for (const auto& [each, field] : fields_) {
      if (each.starts_with(name)) return field;
    }
    return "";
  }
  bool HasSession() const { return !Cookie(kSession).empty(); }
  bool HasAttempt() const { return !Cookie(kAttempt).empty(); }

 private:
  void Keep(const std::string& field) {
    const std::size_t equals = field.find('=');
    const std::string name = field.substr(0, equals);
    const std::string value = field.substr(equals + 1, field.find(';') - equals - 1);
    if (field.find("; Max-Age=0;") != field.npos) {
      cookies_.erase(name);
      fields_.erase(name);
    } else {
      cookies_[name] = value;
      fields_[name] = field;
    }
  }

  const int port_;
  const std::string host_;
  std::map<std::string, std::string> cookies_;
  std::map<std::string, std::string> fields_;
};

class OidcSignInTest : public GatewayTest {
 protected:
  OidcSignInTest() {
    credentials_ = Credentials(anonymizer_, *site_.verifier, site_.sessions.get());
    Offer({});
  }
  ~OidcSignInTest() override {
    sign_in_->Stop();
    server_.reset();
  }

  OidcProvider::Options ProviderOptions() const {
    return {.issuer = provider_.issuer(),
            .client_id = TestOidcProvider::kClientId,
            .client_secret_file = provider_.secret_file(),
            .authorities = provider_.authorities(),
            .timeout = std::chrono::seconds(30)};
  }
  absl::StatusOr<std::unique_ptr<OidcSignIn>> Make(OidcSignIn::Options options) const {
    return OidcSignIn::Make(std::move(options),
                            *identity::TokenSigner::FromPrivateJwk(site_.signer.PrivateJwk()),
                            site_.rules, *site_.sessions, site_.clock);
  }
  /// Starts a gateway at which people sign in at the provider.
  void Offer(OidcSignIn::Options options) {
    if (options.provider.issuer.empty()) options.provider = ProviderOptions();
    if (sign_in_ != nullptr) sign_in_->Stop();
    server_.reset();
    auto sign_in = Make(std::move(options));
    ASSERT_THAT(sign_in, IsOk());
    sign_in_ = *std::move(sign_in);
    oidc_ = sign_in_.get();
    Start("");
    const std::string origin = fmt::format("http://127.0.0.1:{}", port());
    ASSERT_THAT(sign_in_->SetOrigin(origin), IsOk());
    site_.sessions->SetUrl(origin);
  }

  /// Begins a sign-in, and goes through the provider's page; the callback that follows.
  std::string GoToProvider(Browser& browser) {
    const auto begun = browser.Get("/sign-in/start");
    EXPECT_EQ(begun.status, 303) << begun.body;
    return begun.status == 303 ? provider_.SignIn(std::string(begun.headers.Get("location"))) : "";
  }
  TestClient::Answer SignIn(Browser& browser) { return browser.Get(GoToProvider(browser)); }

  /// The caller for whom the gateway signs a token if the page names `caller`; else the status.
  std::string ActsAs(Browser& browser, const std::string& caller) {
    Headers headers = {{"content-type", "application/grpc-web+proto"}};
    if (!caller.empty()) headers.Add("ridestream-caller", caller);
    const auto answer =
        browser.Call("POST", "/ridestream.trip.v1.TripService/QuoteTrip", headers, DataFrame(""));
    const std::string token(answer.headers.Get("seen-authorization"));
    if (token.empty()) {
      const std::size_t status = answer.body.find("grpc-status: ");
      return status == answer.body.npos ? answer.body : answer.body.substr(status + 13, 2);
    }
    const auto claims = site_.verifier->Verify(token.substr(7));
    EXPECT_THAT(claims, IsOk());
    return claims.ok() ? Name(claims->principal) + " " + claims->principal.market : "";
  }

  SignedIn site_;
  TestOidcProvider provider_{site_.clock};
  std::unique_ptr<OidcSignIn> sign_in_;
};

TEST_F(OidcSignInTest, OpensASessionOfThePersonThatTheProviderNames) {
  provider_.Set({.claims = {{"sub", "ada"}, {"role", "rider"}, {"market", "city"}}});
  Browser browser(port());
  EXPECT_EQ(browser.Get("/session").body, "{\"signIn\":\"/sign-in/start\"}\n");
  const std::string callback = GoToProvider(browser);
  EXPECT_THAT(browser.Cookie(kAttempt), EndsWith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"));

  const auto opened = browser.Get(callback);
  EXPECT_EQ(opened.status, 303) << opened.body;
  EXPECT_EQ(opened.headers.Get("location"), "/");
  EXPECT_EQ(opened.headers.Get("cache-control"), "no-store");
  EXPECT_THAT(browser.Cookie(kSession),
              EndsWith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
  EXPECT_FALSE(browser.HasAttempt());
  EXPECT_EQ(browser.Get("/session").body,
            "{\"session\":{\"caller\":\"rider/ada\"},\"signIn\":\"/sign-in/start\"}\n");
  EXPECT_EQ(ActsAs(browser, ""), "rider/ada city");
}

TEST_F(OidcSignInTest, ASessionActsAsItsPersonOrAsAViewer) {
  const struct {
    const char* role;
    const char* caller;
    const char* acts_as;
  } kCases[] = {
      {"rider", "rider/ada", "rider/ada "},
      {"rider", "viewer/web-map", "viewer/ada "},
      {"rider", "rider/bob", "7\r"},
      {"rider", "driver/ada", "7\r"},
      {"rider", "operator/ada", "7\r"},
      {"rider", "viewer/", "3\r"},
      {"rider", "service/trip", "3\r"},
      {"driver", "driver/ada", "driver/ada "},
      {"driver", "rider/ada", "7\r"},
      {"viewer", "", "viewer/ada "},
      {"viewer", "viewer/other", "viewer/ada "},
      {"viewer", "rider/ada", "7\r"},
      {"operator", "", "viewer/ada "},
      {"operator", "operator/ada", "7\r"},
  };
  for (const auto& [role, caller, acts_as] : kCases) {
    provider_.Set({.claims = {{"sub", "ada"}, {"role", role}}});
    Browser browser(port());
    ASSERT_EQ(SignIn(browser).status, 303);
    EXPECT_EQ(ActsAs(browser, caller), acts_as) << role << " as " << caller;
  }
}

TEST_F(OidcSignInTest, SubjectNamedBrowserGetsNoOneTimeCodeSession) {
  // The principal of those sessions, which act as anybody.
  provider_.Set({.claims = {{"sub", "browser"}}});
  Browser browser(port());
  ASSERT_EQ(SignIn(browser).status, 303);
  EXPECT_EQ(ActsAs(browser, "rider/ada"), "7\r");
}

TEST_F(OidcSignInTest, RejectsInvalidResponsesOfTheProvider) {
  const auto now =
      std::chrono::floor<std::chrono::seconds>(site_.clock.Now()).time_since_epoch().count();
  const std::string foreign = *site_.signer.Sign(
      R"({"typ":"JWT"})",
      json{{"iss", provider_.issuer()}, {"aud", TestOidcProvider::kClientId}, {"exp", now + 300}}
          .dump());
  const struct {
    const char* name;
    Behavior behavior;
    int status;
    const char* reason;
  } kCases[] = {
      {"nonce", {.claims = {{"sub", "a"}, {"nonce", "x"}}}, 403, "'nonce'"},
      {"no nonce", {.claims = {{"sub", "a"}, {"nonce", nullptr}}}, 403, "'nonce'"},
      {"aud", {.claims = {{"sub", "a"}, {"aud", "other"}}}, 403, "'aud'"},
      {"no aud", {.claims = {{"sub", "a"}, {"aud", nullptr}}}, 403, "'aud'"},
      {"two aud without azp",
       {.claims = {{"sub", "a"}, {"aud", {TestOidcProvider::kClientId, "other"}}}},
       403,
       "'azp'"},
      {"azp", {.claims = {{"sub", "a"}, {"azp", "other"}}}, 403, "'azp'"},
      {"iss", {.claims = {{"sub", "a"}, {"iss", "https://other.example"}}}, 403, "'iss'"},
      {"expired", {.claims = {{"sub", "a"}, {"exp", now - 61}}}, 403, "expired"},
      {"no exp", {.claims = {{"sub", "a"}, {"exp", nullptr}}}, 403, "'exp'"},
      {"future", {.claims = {{"sub", "a"}, {"iat", now + 120}}}, 403, "'iat'"},
      {"alg none", {.id_token = "eyJhbGciOiJub25lIn0.e30."}, 403, "empty or not base64url"},
      {"alg none, signed", {.id_token = "eyJhbGciOiJub25lIn0.e30.AAAA"}, 403, "'alg'"},
      {"alg HS256", {.id_token = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.e30.AAAA"}, 403, "'alg'"},
      {"foreign key", {.id_token = foreign}, 403, "'kid' names no known key"},
      {"no token", {.id_token = std::string(9'000, 'a')}, 403, "longer than"},
      {"no subject", {.claims = {{"sub", nullptr}}}, 403, "--oidc_subject_claim"},
      {"subject", {.claims = {{"sub", std::string(256, 'a')}}}, 403, "--oidc_subject_claim"},
      {"market", {.claims = {{"sub", "a"}, {"market", "no id"}}}, 403, "market"},
      {"token error", {.token_status = 500}, 503, "the status 500"},
      {"redirected", {.token_status = 302}, 503, "the status 302"},
      {"keys error", {.keys_status = 404}, 503, "the status 404"},
  };
  for (const auto& [name, behavior, status, reason] : kCases) {
    SCOPED_TRACE(name);
    provider_.Set(behavior);
    Browser browser(port());
    const std::string callback = GoToProvider(browser);
    const testing::CapturedLog log;
    const auto answer = browser.Get(callback);
    EXPECT_EQ(answer.status, status);
    EXPECT_THAT(log.text(), AllOf(HasSubstr("sign_in_refused"), HasSubstr(reason)));
    EXPECT_THAT(answer.body,
                AllOf(HasSubstr("You are not signed in"), HasSubstr("/sign-in/start")));
    EXPECT_EQ(answer.headers.Get("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(answer.headers.Get("cache-control"), "no-store");
    EXPECT_FALSE(browser.HasSession());
    EXPECT_FALSE(browser.HasAttempt());
  }
}

TEST_F(OidcSignInTest, RefusesUnusableDiscoveryDocuments) {
  const json http = "http://127.0.0.1/x";
  const struct {
    const char* name;
    Behavior behavior;
    const char* reason;
  } kCases[] = {
      {"oversized", {.discovery = {{"x", std::string(300'000, 'x')}}}, "longer than 262144 bytes"},
      {"issuer", {.discovery = {{"issuer", "https://other.example"}}}, "byte for byte"},
      {"no endpoint", {.discovery = {{"authorization_endpoint", nullptr}}}, "must be https"},
      {"http", {.discovery = {{"authorization_endpoint", http}}}, "must be https URLs"},
      {"http token", {.discovery = {{"token_endpoint", http}}}, "must be https URLs"},
      {"http keys", {.discovery = {{"jwks_uri", http}}}, "must be https URLs"},
      {"script", {.discovery = {{"authorization_endpoint", "javascript:x"}}}, "must be https URLs"},
      {"line end", {.discovery = {{"authorization_endpoint", "https://a/\r\nx: y"}}}, "must be"},
      {"methods",
       {.discovery = {{"token_endpoint_auth_methods_supported", {"private_key_jwt"}}}},
       "neither client_secret_basic nor client_secret_post"},
      {"status", {.discovery_status = 500}, "the status 500"},
      {"redirected", {.discovery_status = 301}, "the status 301"},
  };
  for (const auto& [name, behavior, reason] : kCases) {
    SCOPED_TRACE(name);
    provider_.Set(behavior);
    const testing::CapturedLog log;
    Browser browser(port());
    EXPECT_EQ(browser.Get("/sign-in/start").status, 503);
    EXPECT_THAT(log.text(), AllOf(HasSubstr("sign_in_refused"), HasSubstr(reason)));
    EXPECT_FALSE(browser.HasAttempt());
  }
  provider_.Set({});
  Browser browser(port());
  EXPECT_EQ(SignIn(browser).status, 303) << "a document that failed isn't kept";
}

TEST_F(OidcSignInTest, RefusesCallbacksThatBelongToNoSignInOfTheBrowser) {
  const std::string error = "&error=access_denied";
  const struct {
    const char* name;
    std::string query;
    int status;
    const char* page;
  } kCases[] = {
      {"no state", "code=x", 400, "was not begun in this browser"},
      {"empty state", "state=&code=x", 400, "was not begun in this browser"},
      {"another state", "state=" + std::string(32, '0') + "&code=x", 400, "was not begun"},
      {"state twice", "state=STATE&state=STATE&code=x", 400, "was not begun"},
      {"another issuer", "state=STATE&code=x&iss=https%3A%2F%2Fo.example", 400, "was not begun"},
      {"denied", "state=STATE" + error, 403, "cancelled or refused"},
      {"denied without state", error.substr(1), 400, "was not begun"},
      {"an error", "state=STATE&error=server_error", 403, "did not accept this sign-in"},
      {"a script", "state=STATE&error=%3Cscript%3E", 403, "did not accept this sign-in"},
      {"no code", "state=STATE", 403, "did not accept this sign-in"},
      {"a long code", "state=STATE&code=" + std::string(5'000, 'x'), 403, "did not accept"},
      {"a wrong code", "state=STATE&code=x", 403, "did not accept this sign-in"},
  };
  for (const auto& [name, pattern, status, page] : kCases) {
    SCOPED_TRACE(name);
    Browser browser(port());
    const std::string callback = GoToProvider(browser);
    const std::size_t at = callback.find("state=") + 6;
    const std::string state = callback.substr(at, callback.find('&', at) - at);
    ASSERT_EQ(state.size(), 32u);
    std::string query = pattern;
    for (std::size_t i; (i = query.find("STATE")) != query.npos;) query.replace(i, 5, state);
    const auto answer = browser.Get("/sign-in/callback?" + query);
    EXPECT_EQ(answer.status, status);
    EXPECT_THAT(answer.body, AllOf(HasSubstr(page), Not(HasSubstr("<script"))));
    EXPECT_FALSE(browser.HasSession());
    EXPECT_EQ(browser.HasAttempt(), status == 400) << "a forged callback doesn't end the sign-in";
  }
}

TEST_F(OidcSignInTest, TakesACallbackOnceFromTheBrowserThatBegan) {
  Browser browser(port());
  const std::string callback = GoToProvider(browser);
  Browser attacker(port());
  EXPECT_EQ(attacker.Get(callback).status, 400);
  GoToProvider(attacker);
  EXPECT_EQ(attacker.Get(callback).status, 400) << "with the cookie of another sign-in";
  EXPECT_FALSE(attacker.HasSession());
  Browser copy = browser;
  EXPECT_EQ(browser.Get(callback).status, 303);
  EXPECT_TRUE(browser.HasSession());
  EXPECT_EQ(browser.Get(callback).status, 400) << "the cookie is used up";
  EXPECT_EQ(copy.Get(callback).status, 403) << "the provider refuses a code that was used";
  EXPECT_FALSE(copy.HasSession());
}

TEST_F(OidcSignInTest, ASignInExpires) {
  Browser browser(port());
  const std::string callback = GoToProvider(browser);
  site_.clock.Advance(OidcSignIn::kLifetime + std::chrono::seconds(1));
  EXPECT_EQ(browser.Get(callback).status, 400);
  EXPECT_FALSE(browser.HasSession());
}

TEST_F(OidcSignInTest, RedirectsOnlyToTheProviderAndTheMap) {
  for (const char* query : {"", "?redirect=https://evil.example", "?next=//evil.example",
                            "?redirect_uri=https://evil.example"}) {
    Browser browser(port());
    const auto begun = browser.Get(std::string("/sign-in/start") + query);
    const std::string location(begun.headers.Get("location"));
    EXPECT_THAT(location,
                AllOf(StartsWith(provider_.issuer() + "/authorize?"), Not(HasSubstr("evil"))));
    const auto opened = browser.Get(provider_.SignIn(location) + "&redirect=//evil.example");
    EXPECT_EQ(opened.headers.Get("location"), "/");
  }
}

TEST_F(OidcSignInTest, KeepsAQueryOfTheAuthorizationEndpoint) {
  provider_.Set({.discovery = {{"authorization_endpoint", "https://login.example/a?tenant=7"}}});
  Browser browser(port());
  const auto begun = browser.Get("/sign-in/start");
  EXPECT_THAT(std::string(begun.headers.Get("location")),
              StartsWith("https://login.example/a?tenant=7&response_type=code&"));
}

TEST_F(OidcSignInTest, BeginsOnlyUnderThePublicName) {
  const auto answer = Browser(port()).Call("GET", "/sign-in/start",
                                           {{"host", fmt::format("localhost:{}", port())}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr(fmt::format("\"http://127.0.0.1:{}/sign-in/start\"", port())));
  EXPECT_EQ(provider_.requests("/.well-known/openid-configuration"), 0);
}

TEST_F(OidcSignInTest, ReadsTheDiscoveryDocumentOnceInTenMinutes) {
  const std::string path = "/.well-known/openid-configuration";
  for (int i = 0; i < 3; ++i) Browser(port()).Get("/sign-in/start");
  EXPECT_EQ(provider_.requests(path), 1);
  site_.clock.Advance(std::chrono::minutes(10));
  Browser(port()).Get("/sign-in/start");
  EXPECT_EQ(provider_.requests(path), 2);
}

TEST_F(OidcSignInTest, KnowsARotatedKeyAtOnce) {
  Browser browser(port());
  EXPECT_EQ(SignIn(browser).status, 303);
  provider_.RotateKey();
  EXPECT_EQ(SignIn(browser).status, 303);
}

TEST_F(OidcSignInTest, SendsTheSecretInTheWayThatTheProviderSupports) {
  for (const char* method : {"client_secret_basic", "client_secret_post"}) {
    provider_.Set({.discovery = {{"token_endpoint_auth_methods_supported", {method}}}});
    Offer({});
    Browser browser(port());
    EXPECT_EQ(SignIn(browser).status, 303) << method;
  }
  std::ofstream(provider_.secret_file()) << "another";
  Browser browser(port());
  const testing::CapturedLog log;
  const auto answer = SignIn(browser);
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("not set up correctly"));
  EXPECT_THAT(log.text(), HasSubstr("--oidc_client_secret"));
}

TEST_F(OidcSignInTest, ReportsThatTheProviderIsDown) {
  Browser browser(port());
  const std::string callback = GoToProvider(browser);
  provider_.Close();
  auto answer = browser.Get(callback);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("can't be reached"));
  site_.clock.Advance(std::chrono::minutes(10));
  EXPECT_EQ(browser.Get("/sign-in/start").status, 503);
}

TEST_F(OidcSignInTest, GivesUpOnASlowProvider) {
  auto options = ProviderOptions();
  options.timeout = std::chrono::seconds(2);  // GoToProvider must get its answer within it too.
  Offer({.provider = options});
  Browser browser(port());
  const std::string callback = GoToProvider(browser);
  provider_.Set({.is_silent = true});
  const testing::CapturedLog log;
  EXPECT_EQ(browser.Get(callback).status, 503);
  EXPECT_THAT(log.text(), HasSubstr("timed out"));
  EXPECT_EQ(Browser(port()).Get("/healthz").status, 200);
}

TEST_F(OidcSignInTest, BoundsTheSignInsThatWaitForTheProvider) {
  Offer({.provider = ProviderOptions(), .max_waiting = 1});
  Browser waiting(port());
  const std::string callback = GoToProvider(waiting);
  provider_.Set({.is_silent = true});
  std::thread first([&] { waiting.Get(callback); });
  EXPECT_TRUE(provider_.token_requested.Wait());
  const auto answer = Browser(port()).Get("/sign-in/start");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("Too many people"));
  provider_.Close();  // Ends the first one's request.
  first.join();
}

TEST_F(OidcSignInTest, SignsOut) {
  Browser browser(port());
  ASSERT_EQ(SignIn(browser).status, 303);
  const auto linked = browser.Get("/sign-out");
  EXPECT_EQ(linked.status, 405) << "a link, or an image, signs nobody out";
  EXPECT_EQ(linked.headers.Get("cache-control"), "no-store");
  EXPECT_EQ(browser.Call("POST", "/sign-out", {{"origin", "http://page.example"}}).status, 403);
  EXPECT_TRUE(browser.HasSession());
  EXPECT_EQ(browser.Call("POST", "/sign-out").status, 204);
  EXPECT_FALSE(browser.HasSession());
  EXPECT_EQ(ActsAs(browser, "viewer/web-map"), "16");
}

TEST_F(OidcSignInTest, LogsWhoSignsInAndNoSecret) {
  const testing::CapturedLog log;
  Browser browser(port());
  const std::string callback = GoToProvider(browser);
  const std::string code = callback.substr(callback.find("code=") + 5);
  ASSERT_EQ(code.size(), 32u);
  Browser copy = browser;
  browser.Get(callback);
  copy.Get(callback);
  browser.Call("POST", "/sign-out");
  EXPECT_THAT(log.text(),
              AllOf(HasSubstr("session_opened caller=viewer/ada"), HasSubstr("sign_in_refused"),
                    HasSubstr("refuses the code: invalid_grant"),
                    HasSubstr("session_closed caller=viewer/ada")));
  for (const std::string& secret : {code, std::string("eyJ"), std::string("s3cret")}) {
    EXPECT_THAT(log.text(), Not(HasSubstr(secret)));
  }
}

TEST_F(OidcSignInTest, KeepsTheCookiesToTlsAndToItsHost) {
  site_.sessions->SetUrl("https://127.0.0.1");
  for (const char* origin : {"https://127.0.0.1", "https://127.0.0.1/", "https://127.0.0.1:443"}) {
    ASSERT_THAT(sign_in_->SetOrigin(origin), IsOk());
    Browser browser(port());
    const auto begun = browser.Call("GET", "/sign-in/start", {{"host", "127.0.0.1"}});
    EXPECT_THAT(browser.Cookie("__Host-ridestream-sign-in"), EndsWith("; SameSite=Lax; Secure"));
    const std::string callback = provider_.SignIn(std::string(begun.headers.Get("location")));
    EXPECT_EQ(browser.Call("GET", callback, {{"host", "127.0.0.1"}}).status, 303);
    EXPECT_THAT(browser.Cookie("__Host-ridestream-session"),
                EndsWith("; HttpOnly; SameSite=Strict; Secure"));
  }
}

TEST_F(OidcSignInTest, APlantedSignInDoesNotSignTheVictimInAsTheAttacker) {
  const Headers host = {{"host", "127.0.0.1"}};
  ASSERT_THAT(sign_in_->SetOrigin("https://127.0.0.1"), IsOk());
  Browser attacker(port());
  const auto begun = attacker.Call("GET", "/sign-in/start", host);
  const std::string callback = provider_.SignIn(std::string(begun.headers.Get("location")));
  const std::string field = attacker.Cookie("__Host-ridestream-sign-in");
  const std::string own = field.substr(0, field.find(';'));
  const std::string value = own.substr(own.find('='));
  const auto call = [&](const std::string& cookies) {
    Headers headers = host;
    headers.Add("cookie", cookies);
    return TestClient(port()).Call("GET", callback, headers).status;
  };
  EXPECT_EQ(call("ridestream-sign-in" + value), 400);
  EXPECT_EQ(call("ridestream-sign-in-443" + value), 400);
  EXPECT_EQ(call(own + "; " + own), 400) << "two sign-ins";
  EXPECT_EQ(call(own), 303);
}

TEST_F(OidcSignInTest, TakesOnlyAnOriginThatIsHttpsOrOnLoopback) {
  for (const char* good : {"https://ride.example", "https://ride.example:8443", "http://[::1]:7000",
                           "http://localhost:7000", "http://127.0.0.1"}) {
    EXPECT_THAT(sign_in_->SetOrigin(good), IsOk()) << good;
  }
  for (const char* bad :
       {"", "ride.example", "http://ride.example", "http://10.0.0.7:7000", "ftp://localhost",
        "https://", "https://ride.example/map", "https://user@ride.example",
        "https://ride.example?x", "https://ride.example\">", "javascript:alert(1)"}) {
    EXPECT_THAT(sign_in_->SetOrigin(bad),
                StatusIs(absl::StatusCode::kInvalidArgument, "--public_url"))
        << bad;
  }
}

TEST_F(OidcSignInTest, NamesTheFlagThatIsWrong) {
  const auto with = [&](const auto& change) {
    OidcSignIn::Options options{.provider = ProviderOptions()};
    change(options);
    return Make(std::move(options)).status();
  };
  const struct {
    const char* flag;
    std::function<void(OidcSignIn::Options&)> change;
  } kCases[] = {
      {"--oidc_issuer", [](auto& o) { o.provider.issuer = "http://provider.example"; }},
      {"--oidc_issuer", [](auto& o) { o.provider.issuer = "https://provider.example?x=1"; }},
      {"--oidc_issuer", [](auto& o) { o.provider.issuer = "https://provider.example#x"; }},
      {"--oidc_client_id", [](auto& o) { o.provider.client_id = ""; }},
      {"--oidc_client_secret", [](auto& o) { o.provider.client_secret_file = "/no/such"; }},
      {"--oidc_client_secret", [](auto& o) { o.provider.client_secret_file = "/dev/null"; }},
      {"--oidc_scope", [](auto& o) { o.scope = "profile"; }},
      {"--oidc_subject_claim", [](auto& o) { o.claims.subject = ""; }},
      {"--oidc_role_claim", [](auto& o) { o.claims.role = "/a~2"; }},
  };
  for (const auto& [flag, change] : kCases) {
    const absl::Status status = with(change);
    EXPECT_FALSE(status.ok()) << flag;
    EXPECT_THAT(std::string(status.message()), HasSubstr(flag));
  }
}

TEST(PersonOfTest, GivesTheLeastRightsThatTheClaimsName) {
  const json list = {{"roles", {"offline_access", "driver"}}};
  const struct {
    json claims;
    ClaimNames names;
    const char* person;
  } kCases[] = {
      {{{"sub", "ada"}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"role", "rider"}}, {}, "rider/ada"},
      {{{"sub", "ada"}, {"role", "Rider"}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"role", "operator"}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"role", "service"}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"role", {"driver", "operator"}}}, {}, "driver/ada"},
      {{{"sub", "ada"}, {"role", {"driver", "rider"}}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"role", {{"rider", true}}}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"role", 1}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"role", {1, nullptr, {"rider"}}}}, {}, "viewer/ada"},
      {{{"sub", "ada"}, {"realm_access", list}}, {.role = "/realm_access/roles"}, "driver/ada"},
      {{{"sub", "ada"}, {"realm_access", list}}, {.role = "/realm_access/0"}, "viewer/ada"},
      {{{"sub", "ada"}, {"realm_access", 1}}, {.role = "/realm_access/roles"}, "viewer/ada"},
      {{{"sub", "1"}, {"https://ride.example/role", "rider"}},
       {.role = "https://ride.example/role"},
       "rider/1"},
      {{{"sub", "1"}, {"preferred_username", "ada"}},
       {.subject = "preferred_username"},
       "viewer/ada"},
      // By sha256sum.
      {{{"sub", "auth0|62f"}},
       {},
       "viewer/47ea1c3c742f808a5ce78faef0429a6f7c53e0470f98d72d2089008383981f18"},
  };
  for (const auto& [claims, names, person] : kCases) {
    const auto read = PersonOf(claims, names);
    ASSERT_THAT(read, IsOk()) << claims;
    EXPECT_EQ(identity::Name(*read), person) << claims;
  }
  for (const json& claims :
       {json::object(), json{{"sub", ""}}, json{{"sub", 7}}, json{{"sub", {"ada"}}},
        json{{"sub", std::string(256, 'a')}}, json{{"sub", "ada"}, {"market", "a b"}},
        json{{"sub", "ada"}, {"market", 7}}}) {
    EXPECT_THAT(PersonOf(claims, {}), StatusIs(absl::StatusCode::kUnauthenticated, "")) << claims;
  }
}

}  // namespace
}  // namespace ridestream::gateway
