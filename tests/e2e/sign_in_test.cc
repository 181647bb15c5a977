// A browser signs in at the gateway, as under `./ride demo`, in front of services that require
// proof.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/host_port.h"
#include "libs/process/local_services.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::e2e {
namespace {

using gateway::Headers;
using gateway::TestClient;
using ::testing::HasSubstr;
using ::testing::Not;

std::string LogOf(const process::LocalServices& system, const std::string& service) {
  std::ifstream log(system.process(service).log_path());
  return {std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
}

TEST(SignIn, OneTimeAddressOpensTheCityForOneBrowser) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto system = process::LocalServices::Start({.bin = bin, .gateway = true});
  ASSERT_THAT(system, testing::IsOk());
  const std::string origin = "http://" + (*system)->gateway();
  const std::string page = (*system)->page();
  ASSERT_TRUE(page.starts_with(origin + "/sign-in?code=")) << page;
  TestClient client(ParseHostPort((*system)->gateway())->port);
  EXPECT_EQ(client.Call("GET", "/v1/trips", {{"ridestream-caller", "rider/ada"}}).status, 401);

  const auto opened = client.Call("GET", page.substr(origin.size()));
  ASSERT_EQ(opened.status, 303);
  const std::string set_cookie(opened.headers.Get("set-cookie"));
  const std::string cookie = set_cookie.substr(0, set_cookie.find(';'));
  const auto get = [&](const char* target, const char* caller) {
    return client.Call("GET", target, {{"cookie", cookie}, {"ridestream-caller", caller}}).status;
  };
  EXPECT_EQ(get("/v1/markets", "viewer/map"), 200);
  EXPECT_EQ(get("/v1/trips", "rider/ada"), 200);
  EXPECT_EQ(get("/v1/trips", "viewer/map"), 403) << "the service's policy decides";
  EXPECT_EQ(get("/v1/trips", "operator/root"), 403);
  EXPECT_EQ(client.Call("GET", page.substr(origin.size())).status, 403) << "another browser";

  // Logs are written a moment later. The test's time bounds the wait.
  std::string log;
  while (log.find("sign_in_refused") == std::string::npos) log = LogOf(**system, "gateway");
  EXPECT_THAT(log, HasSubstr("session_opened"));
  EXPECT_THAT(log, Not(HasSubstr(cookie.substr(cookie.find('=') + 1)))) << "the cookie";
}

}  // namespace
}  // namespace ridestream::e2e
