#include "services/gateway/http/origins.h"

#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

Request From(const std::string& origin) {
  Request request;
  request.headers.Add("Host", "map.example:7000");
  if (!origin.empty()) request.headers.Add("Origin", origin);
  return request;
}

TEST(Origins, AllowsSameOriginAndNonBrowserClients) {
  const Origins origins = *Origins::Parse("");
  EXPECT_TRUE(origins.Allow(From("")));
  EXPECT_TRUE(origins.Allow(From("http://map.example:7000")));
  EXPECT_TRUE(origins.Allow(From("https://map.example:7000")));
  EXPECT_FALSE(origins.Allow(From("http://map.example")));
  EXPECT_FALSE(origins.Allow(From("http://evil.example")));
  EXPECT_FALSE(origins.Allow(From("null")));
}

TEST(Origins, AllowsListedOriginsToReadResponses) {
  const Origins origins = *Origins::Parse("https://ops.example, http://localhost:5173");
  EXPECT_TRUE(origins.Allow(From("https://ops.example")));
  EXPECT_FALSE(origins.Allow(From("http://ops.example")));
  EXPECT_EQ(origins.AnswerHeaders(From("http://localhost:5173")).Get("access-control-allow-origin"),
            "http://localhost:5173");
  EXPECT_FALSE(
      origins.AnswerHeaders(From("http://map.example:7000")).Has("access-control-allow-origin"));
}

TEST(Origins, AnswersAPreflightWithTheRequestedMethodAndHeaders) {
  const Origins origins = *Origins::Parse("*");
  Request request = From("https://anything.example");
  request.headers.Add("access-control-request-method", "POST");
  request.headers.Add("access-control-request-headers", "content-type,x-grpc-web");
  EXPECT_TRUE(origins.Allow(request));
  const Response response = origins.Preflight(request);
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.headers.Get("access-control-allow-headers"), "content-type,x-grpc-web");
}

TEST(Origins, RefusesInvalidOrigins) {
  for (const char* list :
       {"ops.example", "https://ops.example/path", "ftp://ops.example", "https://"}) {
    EXPECT_THAT(Origins::Parse(list),
                testing::StatusIs(absl::StatusCode::kInvalidArgument, "is not an origin"))
        << list;
  }
}

TEST(OriginsTest, KnowsOwnOrigin) {
  const std::string host = "127.0.0.1:7000";
  for (const bool tls : {false, true}) {
    EXPECT_TRUE(IsOwnOrigin({{"host", host}}, tls));
    EXPECT_TRUE(IsOwnOrigin({{"host", host}, {"origin", "https://127.0.0.1:7000"}}, tls));
    EXPECT_EQ(IsOwnOrigin({{"host", host}, {"origin", "http://127.0.0.1:7000"}}, tls), !tls);
    for (const char* origin : {"https://127.0.0.1:7001", "https://localhost:7000", "null", ""}) {
      EXPECT_FALSE(IsOwnOrigin({{"host", host}, {"origin", origin}}, tls)) << origin;
    }
  }
}

TEST(OriginsTest, RejectsPlaintextOriginsOfTheSameHostOverTls) {
  Origins origins = *Origins::Parse("");
  origins.RequireTls();
  EXPECT_TRUE(origins.Allow(From("")));
  EXPECT_TRUE(origins.Allow(From("https://map.example:7000")));
  EXPECT_FALSE(origins.Allow(From("http://map.example:7000")));
  Origins listed = *Origins::Parse("http://map.example:7000");
  listed.RequireTls();
  EXPECT_TRUE(listed.Allow(From("http://map.example:7000"))) << "without cookies";
  EXPECT_EQ(
      listed.AnswerHeaders(From("http://map.example:7000")).Get("access-control-allow-origin"),
      "http://map.example:7000");
}

}  // namespace
}  // namespace ridestream::gateway
