#include "libs/identity/token_verifier.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include "gtest/gtest.h"
#include "libs/identity/token_signer.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "nlohmann/json.hpp"

namespace ridestream::identity {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::IsOk;
using testing::StatusIs;

constexpr auto kRevoked = "token: revoked";

class TokenVerifierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write(key_file_, old_.PublicJwks());
    Write(revocation_file_, "");
  }

  /// Replaces the file atomically, as an operator should.
  void Write(const std::string& path, std::string_view text) {
    {
      std::ofstream file(path + ".new", std::ios::binary);
      file << text;
      ASSERT_TRUE(file.flush());
    }
    std::filesystem::rename(path + ".new", path);
  }

  std::unique_ptr<TokenVerifier> Start(std::chrono::milliseconds reload_every = 1h) {
    auto verifier = TokenVerifier::Start({.key_file = key_file_,
                                          .revocation_file = revocation_file_,
                                          .rules = rules_,
                                          .stream_grace = 5min,
                                          .reload_every = reload_every},
                                         clock_);
    EXPECT_THAT(verifier, IsOk());
    return *std::move(verifier);
  }

  std::string Mint(const TokenSigner& signer, const std::string& id = "ada") const {
    return *signer.Mint({Role::kRider, id}, rules_, clock_.Now(), 10min);
  }

  const testing::TempFolder folder_;
  const std::string key_file_ = folder_.File("jwks.json");
  const std::string revocation_file_ = folder_.File("revoked");
  const TokenRules rules_{"issuer", "ridestream", 1min};
  const TokenSigner old_ = *TokenSigner::Generate(Algorithm::kEs256, "old");
  const TokenSigner new_ = *TokenSigner::Generate(Algorithm::kEs256, "new");
  ManualClock clock_;
};

TEST_F(TokenVerifierTest, FollowsARotationOfKeys) {
  const auto verifier = Start();
  EXPECT_THAT(verifier->Verify(Mint(old_)), IsOk());
  EXPECT_THAT(verifier->Verify(Mint(new_)), StatusIs(absl::StatusCode::kUnauthenticated, "'kid'"));

  json both = json::parse(old_.PublicJwks());
  both["keys"].push_back(json::parse(new_.PublicJwks())["keys"][0]);
  Write(key_file_, both.dump());
  verifier->Reload();
  EXPECT_THAT(verifier->Verify(Mint(old_)), IsOk());
  EXPECT_THAT(verifier->Verify(Mint(new_)), IsOk());

  Write(key_file_, new_.PublicJwks());
  verifier->Reload();
  EXPECT_THAT(verifier->Verify(Mint(old_)), StatusIs(absl::StatusCode::kUnauthenticated, "'kid'"));
  EXPECT_THAT(verifier->Verify(Mint(new_)), IsOk());
}

TEST_F(TokenVerifierTest, KeepsItsKeysWhenTheFileBecomesInvalid) {
  const auto verifier = Start();
  for (const std::string& rubbish : {std::string(), std::string("rubbish"), old_.PrivateJwk(),
                                     old_.PublicJwks().substr(0, 40), std::string(2 << 20, ' ')}) {
    const std::uint64_t before = verifier->failures();
    Write(key_file_, rubbish);
    verifier->Reload();
    EXPECT_EQ(verifier->failures(), before + 1);
    EXPECT_TRUE(verifier->stale());
    EXPECT_THAT(verifier->Verify(Mint(old_)), IsOk());
  }
  Write(key_file_, old_.PublicJwks());
  verifier->Reload();
  EXPECT_FALSE(verifier->stale());
}

TEST_F(TokenVerifierTest, RevokesBySubjectAndByToken) {
  const auto verifier = Start();
  const std::string token = Mint(old_);
  const auto claims = verifier->Verify(token);
  ASSERT_THAT(claims, IsOk());
  EXPECT_THAT(verifier->CheckOpenStream(*claims), IsOk());

  for (const std::string& entry : {std::string("sub ada"), "# stolen\njti " + claims->token_id}) {
    Write(revocation_file_, entry);
    verifier->Reload();
    EXPECT_THAT(verifier->Verify(token), StatusIs(absl::StatusCode::kUnauthenticated, kRevoked));
    EXPECT_THAT(verifier->CheckOpenStream(*claims),
                StatusIs(absl::StatusCode::kUnauthenticated, kRevoked));
    EXPECT_THAT(verifier->Verify(Mint(old_, "eve")), IsOk());
  }
  Write(revocation_file_, "sub");
  verifier->Reload();
  EXPECT_THAT(verifier->Verify(token), StatusIs(absl::StatusCode::kUnauthenticated, kRevoked));
  Write(revocation_file_, "");
  verifier->Reload();
  EXPECT_THAT(verifier->Verify(token), IsOk());
}

TEST_F(TokenVerifierTest, LetsStreamsOutliveTheirTokenByTheGrace) {
  const auto verifier = Start();
  const std::string token = Mint(old_);
  const auto claims = verifier->Verify(token);
  ASSERT_THAT(claims, IsOk());
  clock_.Advance(10min + 1min);
  EXPECT_THAT(verifier->Verify(token), StatusIs(absl::StatusCode::kUnauthenticated, "expired"));
  clock_.Advance(5min - 1s);
  EXPECT_THAT(verifier->CheckOpenStream(*claims), IsOk());
  clock_.Advance(1s);
  EXPECT_THAT(verifier->CheckOpenStream(*claims),
              StatusIs(absl::StatusCode::kUnauthenticated, "expired"));
}

TEST_F(TokenVerifierTest, ReloadsByItself) {
  const auto verifier = Start(1ms);
  Write(key_file_, new_.PublicJwks());
  const std::string token = Mint(new_);
  // ctest's timeout bounds the loop.
  while (!verifier->Verify(token).ok()) std::this_thread::yield();
}

TEST_F(TokenVerifierTest, VerifiesOnSeveralThreadsWhileKeysChange) {
  const auto verifier = Start(1ms);
  json both = json::parse(old_.PublicJwks());
  both["keys"].push_back(json::parse(new_.PublicJwks())["keys"][0]);
  const std::string token = Mint(old_);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) EXPECT_THAT(verifier->Verify(token), IsOk());
    });
  }
  for (int i = 0; i < 50; ++i) Write(key_file_, i % 2 == 0 ? both.dump() : old_.PublicJwks());
  for (std::thread& thread : threads) thread.join();
}

TEST_F(TokenVerifierTest, RefusesToStartWithoutKeys) {
  Write(key_file_, "{}");
  EXPECT_THAT(TokenVerifier::Start({.key_file = key_file_, .rules = rules_}, clock_),
              StatusIs(absl::StatusCode::kInvalidArgument, "jwks.json"));
}

}  // namespace
}  // namespace ridestream::identity
