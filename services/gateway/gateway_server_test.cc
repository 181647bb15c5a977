#include "services/gateway/gateway_server.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "libs/base/clock.h"
#include "libs/identity/development_authority.h"
#include "libs/metrics/testing/scrape.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/gateway/testing/fake_services.h"
#include "services/gateway/testing/oidc_provider.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using metrics::testing::HttpGet;
using metrics::testing::ScrapeMetrics;
using metrics::testing::Sum;

TEST(GatewayServerTest, ForwardsAndCountsCallsUntilItIsDrained) {
  const FakeServices services;
  auto server = GatewayServer::Start({.metrics_listen = "127.0.0.1:0",
                                      .security = {.insecure = true},
                                      .trip = services.address(),
                                      .location = services.address(),
                                      .dispatch = services.address()});
  ASSERT_THAT(server, testing::IsOk());
  TestClient client((*server)->port());
  EXPECT_EQ(client.Call("GET", "/v1/trips/t-1", {{"ridestream-caller", "rider/r"}}).status, 200);
  // A call is counted after its answer has been sent. The test's timeout bounds the wait.
  for (double counted = 0; counted < 1;) {
    const auto metrics = ScrapeMetrics((*server)->metrics_address());
    ASSERT_THAT(metrics, testing::IsOk());
    counted = Sum(*metrics, "gateway_rpc_calls_total", {{"method", "GetTrip"}});
  }
  const std::string address = (*server)->address();
  (*server)->Drain();
  EXPECT_THAT(HttpGet(address, "/healthz"), testing::StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST(GatewayServerTest, ReportsAnAddressThatIsInUse) {
  auto first = GatewayServer::Start({.security = {.insecure = true}});
  ASSERT_THAT(first, testing::IsOk());
  const std::string taken = (*first)->address();
  EXPECT_THAT(GatewayServer::Start({.address = taken, .security = {.insecure = true}}),
              testing::StatusIs(absl::StatusCode::kUnavailable, taken));
  EXPECT_THAT(GatewayServer::Start({.metrics_listen = taken, .security = {.insecure = true}}),
              testing::StatusIs(absl::StatusCode::kUnavailable, taken));
}

/// The response to a viewer who watches an area in which jane-doe drives.
std::string WatchAsViewer(const GatewayServer& gateway) {
  return TestClient(gateway.port())
      .Call("GET", "/v1/markets/named/drivers:watch", {{"ridestream-caller", "viewer/map"}})
      .body;
}

TEST(GatewayServerTest, MakesTheSamePseudonymsAsOtherGatewaysWithTheSameKey) {
  const FakeServices services;
  const testing::TempFolder folder;
  const auto start = [&](const std::string& key_file) {
    return GatewayServer::Start({.security = {.insecure = true},
                                 .pseudonym_key = key_file,
                                 .trip = services.address(),
                                 .location = services.address(),
                                 .dispatch = services.address()});
  };
  const std::string key_file = folder.File("pseudonyms");
  EXPECT_THAT(start(key_file), testing::StatusIs(absl::StatusCode::kNotFound, key_file));
  std::ofstream(key_file) << "short";
  EXPECT_THAT(start(key_file), testing::StatusIs(absl::StatusCode::kInvalidArgument, key_file));
  std::ofstream(key_file) << "a secret that has 32 bytes or so";
  const auto first = start(key_file);
  const auto second = start(key_file);
  const auto random = start("");
  ASSERT_THAT(first, testing::IsOk());
  ASSERT_THAT(second, testing::IsOk());
  ASSERT_THAT(random, testing::IsOk());
  const std::string seen = WatchAsViewer(**first);
  EXPECT_NE(seen.find("driverId"), seen.npos) << seen;
  EXPECT_EQ(WatchAsViewer(**first), seen);
  EXPECT_EQ(WatchAsViewer(**second), seen);
  const std::string other = WatchAsViewer(**random);
  EXPECT_NE(other.find("driverId"), other.npos) << other;
  EXPECT_NE(other, seen);
  for (const std::string& answer : {seen, other}) {
    EXPECT_EQ(answer.find("jane-doe"), answer.npos) << answer;
  }
}

/// The options of a gateway that identifies callers by the authority in `folder`.
GatewayServer::Options Secure(const std::string& folder) {
  GatewayServer::Options options;
  options.security.tls = {.certificate = folder + "/gateway.pem",
                          .key = folder + "/gateway.key",
                          .authorities = folder + "/authority.pem"};
  options.security.tokens = {.key_file = folder + "/jwks.json",
                             .rules = identity::DevelopmentTokenRules()};
  options.sign_in_authority = folder;
  return options;
}

TEST(GatewayServerTest, MetricsShowACertificateThatCannotBeUsed) {
  const testing::TempFolder folder;
  ASSERT_THAT(identity::DevelopmentAuthority::Create(folder.path(), {.services = {"gateway"}},
                                                     ScaledClock().Now()),
              testing::IsOk());
  const std::string path = folder.File("https.pem");
  std::ofstream(path) << std::ifstream(folder.File("gateway.pem")).rdbuf()
                      << std::ifstream(folder.File("gateway.key")).rdbuf();
  GatewayServer::Options options = Secure(folder.path());
  options.https_certificate = path;
  options.metrics_listen = "127.0.0.1:0";
  const auto server = GatewayServer::Start(options);
  ASSERT_THAT(server, testing::IsOk());
  const auto metric = [&](const char* name) {
    const auto metrics = ScrapeMetrics((*server)->metrics_address());
    EXPECT_THAT(metrics, testing::IsOk());
    return metrics.ok() ? Sum(*metrics, name) : -1;
  };
  EXPECT_EQ(metric("gateway_security_files_stale"), 0);
  std::ofstream(path) << "no certificate";
  // The test's timeout bounds the wait.
  while (metric("gateway_security_files_stale") == 0) std::this_thread::yield();
  EXPECT_GE(metric("gateway_security_file_failures_total"), 1);
}

TEST(GatewayServerTest, AnnouncesAnAddressThatSignsIn) {
  const testing::TempFolder folder;
  ASSERT_THAT(identity::DevelopmentAuthority::Create(folder.path(), {.services = {"gateway"}},
                                                     ScaledClock().Now()),
              testing::IsOk());
  auto server = GatewayServer::Start(Secure(folder.path()));
  ASSERT_THAT(server, testing::IsOk());
  const std::string page = (*server)->page();
  const std::string origin = "http://" + (*server)->address();
  ASSERT_TRUE(page.starts_with(origin + "/sign-in?code=")) << page;
  TestClient client((*server)->port());
  EXPECT_EQ(client.Call("GET", "/v1/trips", {{"ridestream-caller", "rider/ada"}}).status, 401);
  EXPECT_EQ(client.Call("GET", page.substr(origin.size())).status, 303);
  EXPECT_NE((*server)->page(), page);
}

TEST(GatewayServerTest, SignsPeopleInAtAProvider) {
  const testing::TempFolder folder;
  const ScaledClock clock;
  ASSERT_THAT(
      identity::DevelopmentAuthority::Create(folder.path(), {.services = {"gateway"}}, clock.Now()),
      testing::IsOk());
  const auto keys = identity::CreateTokenKey(folder.File("session.jwk"));
  ASSERT_THAT(keys, testing::IsOk());
  TestOidcProvider provider(clock);
  GatewayServer::Options options = Secure(folder.path());
  options.sign_in_authority = "";
  options.oidc.provider = {.issuer = provider.issuer(),
                           .client_id = TestOidcProvider::kClientId,
                           .client_secret_file = provider.secret_file(),
                           .authorities = provider.authorities()};
  const auto refuses = [&](const char* flag) {
    EXPECT_THAT(GatewayServer::Start(options),
                testing::StatusIs(absl::StatusCode::kInvalidArgument, flag));
  };
  refuses("--session_key");
  options.session_key = folder.File("session.jwk");
  refuses("--token_keys must contain its public half");
  options.security.tokens.key_file = folder.File("both.json");
  std::ofstream(options.security.tokens.key_file) << *keys;
  options.public_url = "http://ride.example";
  refuses("--public_url");
  options.public_url = "";
  options.security.insecure = true;
  refuses("--insecure");
  options.security.insecure = false;

  const auto server = GatewayServer::Start(options);
  ASSERT_THAT(server, testing::IsOk());
  EXPECT_EQ((*server)->page(), "http://" + (*server)->address()) << "has no code";
  const std::string host = (*server)->address();
  const auto get = [&](const std::string& target, const std::string& cookie) {
    return TestClient((*server)->port()).Call("GET", target, {{"host", host}, {"cookie", cookie}});
  };
  EXPECT_EQ(get("/sign-in?code=", "").status, 404) << "no code opens a session";
  const auto begun = get("/sign-in/start", "");
  ASSERT_EQ(begun.status, 303) << begun.body;
  const std::string attempt(begun.headers.Get("set-cookie"));
  const auto opened = get(provider.SignIn(std::string(begun.headers.Get("location"))),
                          attempt.substr(0, attempt.find(';')));
  ASSERT_EQ(opened.status, 303) << opened.body;
  const std::string session(opened.headers.Get("set-cookie"));
  EXPECT_EQ(get("/session", session.substr(0, session.find(';'))).body,
            "{\"session\":{\"caller\":\"viewer/ada\"},\"signIn\":\"/sign-in/start\"}\n");
}

TEST(GatewayServerTest, ServesPlainHttpBeyondLoopbackOnlyWhenThatIsAskedFor) {
  const testing::TempFolder folder;
  ASSERT_THAT(identity::DevelopmentAuthority::Create(folder.path(), {.services = {"gateway"}},
                                                     ScaledClock().Now()),
              testing::IsOk());
  GatewayServer::Options options = Secure(folder.path());
  for (const char* address : {"0.0.0.0:0", "[::]:0", "10.0.0.7:0"}) {
    options.address = address;
    EXPECT_THAT(GatewayServer::Start(options),
                testing::StatusIs(absl::StatusCode::kInvalidArgument, "beyond loopback"))
        << address;
  }
  options.address = "0.0.0.0:0";
  options.plain_http = true;
  auto behind_proxy = GatewayServer::Start(options);
  ASSERT_THAT(behind_proxy, testing::IsOk());
  EXPECT_TRUE((*behind_proxy)->page().starts_with("http://127.0.0.1:")) << (*behind_proxy)->page();
  options.public_url = "https://ride.example";
  auto behind_tls = GatewayServer::Start(options);
  ASSERT_THAT(behind_tls, testing::IsOk());
  EXPECT_TRUE((*behind_tls)->page().starts_with("https://ride.example/sign-in?code="));
  TestClient client((*behind_tls)->port());
  EXPECT_EQ(client.Call("GET", "/healthz").headers.Get("strict-transport-security"),
            "max-age=31536000");

  options.plain_http = false;
  options.public_url.clear();
  options.https_certificate = folder.File("https.pem");
  EXPECT_THAT(GatewayServer::Start(options),
              testing::StatusIs(absl::StatusCode::kNotFound, "https.pem"));
  std::ofstream(options.https_certificate) << std::ifstream(folder.File("gateway.pem")).rdbuf()
                                           << std::ifstream(folder.File("gateway.key")).rdbuf();
  auto tls = GatewayServer::Start(options);
  ASSERT_THAT(tls, testing::IsOk());
  EXPECT_TRUE((*tls)->page().starts_with("https://127.0.0.1:")) << (*tls)->page();
  std::ostringstream authority;
  authority << std::ifstream(folder.File("authority.pem")).rdbuf();
  TestClient browser((*tls)->port(), authority.str());
  const std::string page = (*tls)->page();
  const auto opened = browser.Call("GET", page.substr(page.find("/sign-in")));
  EXPECT_EQ(opened.status, 303);
  const std::string_view cookie = opened.headers.Get("set-cookie");
  EXPECT_TRUE(cookie.starts_with("__Host-ridestream-session=")) << cookie;
  EXPECT_TRUE(cookie.ends_with("; Secure")) << cookie;
  EXPECT_TRUE(opened.headers.Has("strict-transport-security"));
  const std::string host = "localhost:" + std::to_string((*tls)->port());
  const auto ask = [&](const std::string& origin) {
    return browser.Call("GET", "/session", {{"host", host}, {"origin", origin + host}}).status;
  };
  EXPECT_EQ(ask("https://"), 200);
  EXPECT_EQ(ask("http://"), 403) << "anybody on the way may have written that page";

  for (const char* url :
       {"http://127.0.0.1:7000", "HTTPS://ride.example", "ride.example", "https://"}) {
    options.public_url = url;
    EXPECT_THAT(GatewayServer::Start(options),
                testing::StatusIs(absl::StatusCode::kInvalidArgument, "--public_url"))
        << url;
  }

  EXPECT_THAT(GatewayServer::Start({.address = "0.0.0.0:0", .security = {.insecure = true}}),
              testing::IsOk());
}

}  // namespace
}  // namespace ridestream::gateway
