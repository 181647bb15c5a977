// The program as people use it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "libs/identity/development_authority.h"
#include "libs/identity/token_signer.h"
#include "libs/identity/token_verifier.h"
#include "libs/process/child_process.h"
#include "libs/process/run_command.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::identity {
namespace {

using testing::IsOk;

process::Finished RunAuthority(const std::string& arguments) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  EXPECT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const auto finished = process::RunCommand(std::string(bin) + "/authority " + arguments + " 2>&1");
  EXPECT_THAT(finished, IsOk());
  return finished.ok() ? *finished : process::Finished();
}

TEST(AuthorityTest, PrintsATokenThatItsKeySetVerifies) {
  const testing::TempFolder folder;
  const std::string at = " --folder=" + folder.path();
  const process::Finished created = RunAuthority("create" + at);
  ASSERT_EQ(created.wait_status, 0) << created.output;
  EXPECT_EQ(created.output, "");

  process::Finished token = RunAuthority("token driver/d-1 --market=manhattan --for=10m" + at);
  ASSERT_EQ(token.wait_status, 0) << token.output;
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

TEST(AuthorityTest, ReplacesAnAuthorityOnlyByForce) {
  const testing::TempFolder folder;
  const std::string at = " --folder=" + folder.File("a/new/one");
  const std::string key = folder.File("a/new/one/tokens.jwk");
  const auto read_key = [&] {
    std::ifstream file(key);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  };
  ASSERT_EQ(RunAuthority("create" + at).wait_status, 0);
  const std::string first = read_key();
  ASSERT_FALSE(first.empty());

  const process::Finished again = RunAuthority("create" + at);
  EXPECT_EQ(process::DescribeWaitStatus(again.wait_status), "exited with status 1");
  EXPECT_NE(again.output.find("--force"), std::string::npos) << again.output;
  EXPECT_EQ(read_key(), first);

  EXPECT_EQ(RunAuthority("create --force" + at).wait_status, 0);
  EXPECT_NE(read_key(), first);
}

TEST(AuthorityTest, MakesAKeyForSessionsThatOnlyItsOwnerReads) {
  const testing::TempFolder folder;
  const std::string path = folder.File("session.jwk");
  const process::Finished made = RunAuthority("key " + path);
  ASSERT_EQ(made.wait_status, 0) << made.output;
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::ifstream file(path);
  const std::string key{std::istreambuf_iterator<char>(file), {}};
  const auto signer = TokenSigner::FromPrivateJwk(key);
  ASSERT_THAT(signer, IsOk());
  EXPECT_EQ(signer->PublicJwks() + "\n", made.output);
  EXPECT_EQ(made.output.find("\"d\""), std::string::npos) << "the private part";

  const process::Finished again = RunAuthority("key " + path);
  EXPECT_EQ(process::DescribeWaitStatus(again.wait_status), "exited with status 1");
  EXPECT_NE(again.output.find("session.jwk can't be made"), std::string::npos) << again.output;
}

TEST(AuthorityTest, NamesTheWrongArgument) {
  const testing::TempFolder folder;
  const std::string at = " --folder=" + folder.path();
  EXPECT_NE(RunAuthority("token rider/ada" + at).output.find("tokens.jwk can't be read"),
            std::string::npos);
  ASSERT_EQ(RunAuthority("create" + at).wait_status, 0);
  for (const char* arguments : {"", "token", "token ada", "token service/trip",
                                "token rider/ada --market='a b'", "mint rider/ada", "key"}) {
    const process::Finished result = RunAuthority(arguments + at);
    EXPECT_EQ(process::DescribeWaitStatus(result.wait_status), "exited with status 1") << arguments;
    EXPECT_TRUE(result.output.starts_with("authority: ")) << result.output;
  }
  for (const char* lifetime : {"--for=0s", "--for=1000h"}) {
    const process::Finished result = RunAuthority(std::string("token rider/ada ") + lifetime + at);
    EXPECT_EQ(process::DescribeWaitStatus(result.wait_status), "exited with status 2");
    EXPECT_NE(result.output.find("must be in 1s to 720h"), std::string::npos) << result.output;
  }
}

}  // namespace
}  // namespace ridestream::identity
