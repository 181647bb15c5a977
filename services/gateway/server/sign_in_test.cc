// A gateway that requires proof of identity gives the same answer over every protocol and route.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <regex>
#include <string>
#include <vector>

#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/rest/routes.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/signed_in.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kQuoteMethod[] = "/ridestream.trip.v1.TripService/QuoteTrip";

Headers With(Headers headers, std::string_view name, std::string_view value) {
  headers.Add(name, value);
  return headers;
}

class SignInTest : public GatewayTest {
 protected:
  SignInTest() {
    credentials_ = Credentials(anonymizer_, *site_.verifier, site_.sessions.get());
    Start("");
    for (const auto* file :
         {trip::v1::Trip::descriptor()->file(), location::v1::NearbyDriver::descriptor()->file(),
          dispatch::v1::DriveRequest::descriptor()->file()}) {
      services_served_.Add(*file, {});
    }
  }
  ~SignInTest() override { server_.reset(); }

  std::string CallWeb(const std::string& method, Headers headers) {
    headers.Add("content-type", "application/grpc-web+proto");
    TestClient client(port());
    return "web " + StatusIn(client.Call("POST", method, headers, DataFrame("")).body);
  }
  std::string CallRest(const std::string& method, const std::string& target,
                       const Headers& headers) {
    TestClient client(port());
    return "rest " + std::to_string(client.Call(method, target, headers).status);
  }
  /// Browsers can't set headers on a WebSocket's handshake except cookies; the rest is sent as
  /// metadata.
  std::string CallSocket(const std::string& method, const Headers& headers) {
    Headers handshake;
    std::string metadata;
    for (const auto& [name, value] : headers) {
      if (name == "cookie" || name == "origin") {
        handshake.Add(name, value);
      } else {
        metadata += name + ": " + value + "\r\n";
      }
    }
    TestClient socket(port());
    const int opened = socket.OpenWebSocket(method, "grpc-websockets", handshake);
    if (opened != 101) return "socket " + std::to_string(opened);
    socket.SendBinary(metadata);
    socket.SendBinary(std::string(1, '\0') + DataFrame(""));
    socket.SendBinary("\1");
    std::string frames;
    for (auto frame = socket.ReadFrame(); frame.opcode == 2; frame = socket.ReadFrame()) {
      frames += frame.payload;
    }
    return "socket " + StatusIn(frames);
  }

  /// The statuses that such a caller gets from every method over gRPC-Web and WebSockets, and from
  /// every REST route.
  std::vector<std::string> CallEverything(Headers headers) {
    headers.Add("grpc-timeout", "100m");  // Some calls of the fake services never end.
    std::vector<std::string> answers;
    for (const auto& [path, method] : services_served_.methods()) {
      answers.push_back(path + " " + CallWeb(path, headers));
      answers.push_back(path + " " + CallSocket(path, headers));
    }
    const auto routes = Routes::Read(services_served_);
    EXPECT_TRUE(routes.ok());
    for (const Route& route : routes->all()) {
      const std::string target =
          std::regex_replace(std::string(route.path.text()), std::regex("\\{[^}]*\\}"), "x");
      answers.push_back(route.http_method + " " + target + " " +
                        CallRest(route.http_method, target, headers));
    }
    EXPECT_GT(answers.size(), 50u);
    return answers;
  }

  std::string CallSampleRoutes(const Headers& headers) {
    return CallWeb(kQuoteMethod, headers) + " " + CallSocket(kQuoteMethod, headers) + " " +
           CallRest("GET", "/v1/trips/t-1", headers) + " events " +
           CallRest("GET", "/v1/trips:follow?markets=city&oldestOpen=true", headers);
  }

 private:
  static std::string StatusIn(const std::string& frames) {
    constexpr std::string_view kStatus = "grpc-status: ";
    const std::size_t begin = frames.find(kStatus);
    if (begin == std::string::npos) return "none";
    return frames.substr(begin + kStatus.size(), frames.find('\r', begin) - begin - kStatus.size());
  }

 protected:
  SignedIn site_;
  Services services_served_;
};

TEST_F(SignInTest, RefusesEveryMethodAndRouteWithoutProof) {
  const Headers old_session = With(site_.Open(), "ridestream-caller", "rider/ada");
  site_.clock.Advance(std::chrono::hours(13));
  SignedIn foreign;
  foreign.clock.Advance(std::chrono::hours(13));
  const std::string expired = site_.Mint({identity::Role::kRider, "ada"}, std::chrono::hours(-2));
  const std::string of_foreign_issuer = foreign.Mint({identity::Role::kRider, "ada"});
  const struct {
    const char* caller;
    Headers headers;
  } kCallers[] = {
      {"nobody", {}},
      {"a word", {{"ridestream-caller", "operator/root"}}},
      {"another scheme", {{"authorization", "Basic YTpi"}}},
      {"rubbish", {{"authorization", "Bearer rubbish"}}},
      {"an expired token", {{"authorization", "Bearer " + expired}}},
      {"a token of a foreign issuer", {{"authorization", "Bearer " + of_foreign_issuer}}},
      {"two tokens", {{"authorization", "Bearer a"}, {"authorization", "Bearer b"}}},
      {"an expired session", old_session},
      {"a foreign session", With(foreign.Open(), "ridestream-caller", "rider/ada")},
      {"a token in the cookie",
       {{"cookie", "ridestream-session-7000=" + site_.Mint({identity::Role::kRider, "ada"})},
        {"ridestream-caller", "rider/ada"}}},
      {"a session with a bad token",
       With(With(site_.Open(), "ridestream-caller", "rider/ada"), "authorization", "Bearer x")},
  };
  for (const auto& [caller, headers] : kCallers) {
    SCOPED_TRACE(caller);
    EXPECT_THAT(
        CallEverything(headers),
        Each(::testing::AnyOf(EndsWith("web 16"), EndsWith("socket 16"), EndsWith("rest 401"))));
  }
}

TEST_F(SignInTest, TakesProofForEveryMethodAndRoute) {
  const std::string token = site_.Mint({identity::Role::kRider, "ada"});
  for (const Headers& headers : {Headers{{"authorization", "Bearer " + token}},
                                 With(site_.Open(), "ridestream-caller", "rider/ada")}) {
    const auto answers = CallEverything(headers);
    EXPECT_THAT(answers, Each(Not(EndsWith(" 16"))));
    EXPECT_THAT(answers, Each(Not(EndsWith(" 401"))));
    EXPECT_EQ(CallSampleRoutes(headers), "web 0 socket 0 rest 200 events rest 200");
  }
}

TEST_F(SignInTest, ASessionActsAsTheCallerThatItNames) {
  const Headers browser = site_.Open();
  EXPECT_EQ(CallSampleRoutes(browser), "web 3 socket 3 rest 400 events rest 400")
      << "acts as nobody";
  EXPECT_EQ(CallSampleRoutes(With(browser, "ridestream-caller", "operator/root")),
            "web 7 socket 7 rest 403 events rest 403");
  EXPECT_EQ(CallSampleRoutes(With(browser, "ridestream-caller", "viewer/map")),
            "web 0 socket 0 rest 200 events rest 200");
}

TEST_F(SignInTest, OnlyCallersWhoMaySeeTripsGetTheTraceUrl) {
  trace_url_ = "http://jaeger.test/trace/{trace_id}";
  const auto session = [&](const Headers& headers) {
    Start("");
    return TestClient(port()).Call("GET", "/session", headers).body;
  };
  EXPECT_THAT(session(site_.Open()), HasSubstr("jaeger.test"));
  EXPECT_THAT(session({}), Not(HasSubstr("jaeger.test")));
  // Callers need tokens, and browsers can't sign in.
  credentials_ = Credentials(anonymizer_, *site_.verifier);
  EXPECT_THAT(session({}), Not(HasSubstr("jaeger.test")));
  credentials_ = Credentials(anonymizer_);
  EXPECT_THAT(session({}), HasSubstr("jaeger.test"));
}

TEST_F(SignInTest, PagesOfOtherOriginsCannotUseASession) {
  const Headers forged =
      With(With(site_.Open(), "ridestream-caller", "rider/ada"), "origin", "http://page.example");
  EXPECT_EQ(CallSampleRoutes(forged), "web none socket 403 rest 403 events rest 403");
  Start("http://page.example");
  EXPECT_EQ(CallSampleRoutes(forged), "web 16 socket 16 rest 401 events rest 401")
      << "an allowed origin needs a token";
  Start("*");
  EXPECT_EQ(CallSampleRoutes(forged), "web 16 socket 16 rest 401 events rest 401");
}

TEST_F(SignInTest, OpensASessionOnceForEachAddress) {
  TestClient client(port());
  const std::string target = site_.Target();
  const auto opened = client.Call("GET", target);
  EXPECT_EQ(opened.status, 303);
  EXPECT_EQ(opened.headers.Get("referrer-policy"), "no-referrer") << "the code stays here";
  EXPECT_EQ(client.Call("GET", target).status, 403);
  EXPECT_EQ(client.Call("GET", site_.Target()).status, 303);
}

TEST_F(SignInTest, ServicesGetTheTokenAndNoCookie) {
  TestClient client(port());
  Headers headers = site_.Open();
  headers.Add("content-type", "application/grpc-web+proto");
  headers.Add("ridestream-caller", "rider/ada");
  auto answer = client.Call("POST", kQuoteMethod, headers, DataFrame(""));
  EXPECT_FALSE(answer.headers.Has("seen-caller"));
  EXPECT_THAT(std::string(answer.headers.Get("seen-authorization")), HasSubstr("Bearer ey"));
  const std::string token = site_.Mint({identity::Role::kRider, "ada"});
  headers.Add("authorization", "Bearer " + token);
  answer = client.Call("POST", kQuoteMethod, headers, DataFrame(""));
  EXPECT_FALSE(answer.headers.Has("seen-caller"));
  EXPECT_EQ(answer.headers.Get("seen-authorization"), "Bearer " + token);
}

}  // namespace
}  // namespace ridestream::gateway
