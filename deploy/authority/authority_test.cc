// The program as people use it.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "libs/identity/development_authority.h"
#include "libs/identity/token_verifier.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::identity {
namespace {

using testing::IsOk;

struct Result {
  int status = -1;
  std::string output;  // Of stdout and stderr.
};

Result RunAuthority(const std::string& arguments) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  EXPECT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const std::string command = std::string(bin) + "/authority " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  Result result;
  char buffer[4096];
  while (const std::size_t got = fread(buffer, 1, sizeof buffer, pipe)) {
    result.output.append(buffer, got);
  }
  result.status = WEXITSTATUS(pclose(pipe));
  return result;
}

TEST(AuthorityTest, PrintsATokenThatItsKeySetVerifies) {
  const testing::TempFolder folder;
  const std::string at = " --folder=" + folder.path();
  const Result created = RunAuthority("create" + at);
  ASSERT_EQ(created.status, 0) << created.output;
  EXPECT_EQ(created.output, "");

  Result token = RunAuthority("token driver/d-1 --market=manhattan --for=10m" + at);
  ASSERT_EQ(token.status, 0) << token.output;
  ASSERT_TRUE(token.output.ends_with('\n'));
  token.output.pop_back();
  const ScaledClock clock;
  const auto verifier = TokenVerifier::Start({.key_file = folder.File("jwks.json"),
                                              .revocation_file = folder.File("revoked"),
                                              .rules = DevelopmentTokenRules()},
                                             clock);
  ASSERT_THAT(verifier, IsOk());
  const auto claims = (*verifier)->Verify(token.output);
  ASSERT_THAT(claims, IsOk());
  EXPECT_EQ(claims->principal, (Principal{Role::kDriver, "d-1", "manhattan"}));
  EXPECT_GT(claims->expires_at, clock.Now() + std::chrono::minutes(8));
  EXPECT_LE(claims->expires_at, clock.Now() + std::chrono::minutes(10));
}

TEST(AuthorityTest, SaysWhatIsWrong) {
  const testing::TempFolder folder;
  const std::string at = " --folder=" + folder.path();
  EXPECT_NE(RunAuthority("token rider/ada" + at).output.find("tokens.jwk can't be read"),
            std::string::npos);
  ASSERT_EQ(RunAuthority("create" + at).status, 0);
  for (const char* arguments :
       {"", "token", "token ada", "token service/trip", "token rider/ada --for=0s",
        "token rider/ada --for=1000h", "token rider/ada --market='a b'", "mint rider/ada"}) {
    const Result result = RunAuthority(arguments + at);
    EXPECT_EQ(result.status, 1) << arguments;
    EXPECT_NE(result.output.find("failed"), std::string::npos) << result.output;
  }
}

}  // namespace
}  // namespace ridestream::identity
