#include "services/gateway/http/host_cookie.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace ridestream::gateway {
namespace {

using SameSite = HostCookie::SameSite;

TEST(HostCookieTest, BelongsToTheHostAloneOverTlsAndToThePortWithoutIt) {
  const struct {
    const char* url;
    const char* name;
    const char* end;
  } kCases[] = {
      {"https://ride.example", "__Host-id", "; Secure"},
      {"https://ride.example:8443", "__Host-id", "; Secure"},
      {"https://127.0.0.1:7000", "__Host-id", "; Secure"},
      {"http://127.0.0.1:7000", "id-7000", ""},
      {"http://[::1]:7000", "id-7000", ""},
      {"http://localhost:7000/", "id-7000", ""},
      {"http://localhost", "id", ""},
  };
  for (const auto& [url, name, end] : kCases) {
    const HostCookie cookie("id", url, SameSite::kStrict);
    EXPECT_EQ(cookie.name(), name) << url;
    EXPECT_EQ(cookie.Set("v", std::chrono::minutes(1)),
              std::string(name) + "=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict" + end)
        << url;
    EXPECT_EQ(cookie.Clear(),
              std::string(name) + "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" + end)
        << url;
    EXPECT_EQ(cookie.In({{"cookie", "a=b; " + std::string(name) + "=v"}}), "v") << url;
  }
  EXPECT_EQ(HostCookie("id", "https://a.example", SameSite::kLax).Set("v", std::chrono::hours(1)),
            "__Host-id=v; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure");
}

TEST(HostCookieTest, IsNeverTheCookieOfTheOtherProtocol) {
  const HostCookie tls("id", "https://localhost:7000", SameSite::kLax);
  const HostCookie plain("id", "http://localhost:7000", SameSite::kLax);
  for (const char* planted :
       {"id=v", "id-7000=v", "__host-id=v", "__Secure-id=v", "x__Host-id=v"}) {
    EXPECT_FALSE(tls.In({{"cookie", planted}})) << planted;
  }
  for (const char* planted : {"id=v", "id-7001=v", "__Host-id=v"}) {
    EXPECT_FALSE(plain.In({{"cookie", planted}})) << planted;
  }
}

}  // namespace
}  // namespace ridestream::gateway
