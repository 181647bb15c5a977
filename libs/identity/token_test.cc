#include "libs/identity/token.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cjose/jws.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/identity/token_signer.h"
#include "libs/testing/status_matchers.h"
#include "nlohmann/json.hpp"

namespace ridestream::identity {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

constexpr Time kNow = std::chrono::sys_days{std::chrono::November / 28 / 2026} + 10h;
constexpr std::int64_t kNowS = kNow.time_since_epoch().count() / 1'000'000;

const TokenRules& Rules() {
  static const TokenRules rules{"https://issuer.example", "ridestream"};
  return rules;
}

json GoodClaims() {
  return {{"iss", Rules().issuer}, {"aud", Rules().audience}, {"sub", "ada"},
          {"role", "rider"},       {"nbf", kNowS - 10},       {"exp", kNowS + 600}};
}

json With(const char* name, json value) {
  json claims = GoodClaims();
  claims[name] = std::move(value);
  return claims;
}

json Without(const char* name) {
  json claims = GoodClaims();
  claims.erase(name);
  return claims;
}

std::string Encode(std::string_view text) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string result;
  unsigned bits = 0;
  unsigned value = 0;
  for (const char c : text) {
    value = (value << 8 | static_cast<unsigned char>(c)) & 0xffff;
    bits += 8;
    for (; bits >= 6; bits -= 6) result += kAlphabet[value >> (bits - 6) & 63];
  }
  if (bits > 0) result += kAlphabet[value << (6 - bits) & 63];
  return result;
}

/// The token's parts.
std::vector<std::string> PartsOf(const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  return {token.substr(0, first), token.substr(first + 1, second - first - 1),
          token.substr(second + 1)};
}

/// The same token with another header, or other claims, under the unchanged signature.
std::string WithHeader(const std::string& token, std::string_view header) {
  const auto parts = PartsOf(token);
  return Encode(header) + "." + parts[1] + "." + parts[2];
}
std::string WithClaims(const std::string& token, std::string_view claims) {
  const auto parts = PartsOf(token);
  return parts[0] + "." + Encode(claims) + "." + parts[2];
}

class TokenTest : public ::testing::Test {
 protected:
  static const TokenSigner& Signer() {
    static const absl::StatusOr<TokenSigner> signer =
        TokenSigner::Generate(Algorithm::kEs256, "k1");
    return *signer;
  }
  static std::string Sign(const json& claims, std::string_view header = R"({"typ":"JWT"})") {
    return *Signer().Sign(header, claims.dump());
  }

  absl::StatusOr<Claims> Verify(std::string_view token, Time now = kNow) const {
    return VerifyToken(token, *keys_, Rules(), now);
  }

  const std::shared_ptr<const KeySet> keys_ = *KeySet::Parse(Signer().PublicJwks());
};

TEST_F(TokenTest, AcceptsWhatItsSignerMinted) {
  const auto token = Signer().Mint({Role::kDriver, "d-1", "manhattan"}, Rules(), kNow, 1h);
  ASSERT_THAT(token, IsOk());
  const auto claims = Verify(*token);
  ASSERT_THAT(claims, IsOk());
  EXPECT_EQ(claims->principal, (Principal{Role::kDriver, "d-1", "manhattan"}));
  EXPECT_EQ(claims->expires_at, kNow + 1h);
  EXPECT_EQ(claims->token_id.size(), 32u);
}

TEST_F(TokenTest, AcceptsRs256) {
  const auto signer = TokenSigner::Generate(Algorithm::kRs256, "r1");
  ASSERT_THAT(signer, IsOk());
  const auto keys = KeySet::Parse(signer->PublicJwks());
  ASSERT_THAT(keys, IsOk());
  const auto token = signer->Mint({Role::kViewer, "v-1"}, Rules(), kNow, 1h);
  ASSERT_THAT(token, IsOk());
  EXPECT_THAT(VerifyToken(*token, **keys, Rules(), kNow), IsOk());
}

TEST_F(TokenTest, ChecksEachClaim) {
  struct Case {
    const char* name;
    json claims;
    const char* refusal;  // nullptr: accepted.
  };
  const Case cases[] = {
      {"good", GoodClaims(), nullptr},
      {"audience in a list", With("aud", {"other", "ridestream"}), nullptr},
      {"fractional time", With("exp", static_cast<double>(kNowS) + 0.5), nullptr},
      {"market", With("market", "manhattan"), nullptr},
      {"without nbf", Without("nbf"), nullptr},
      {"unknown claim", With("email", "ada@example.com"), nullptr},
      {"without iss", Without("iss"), "'iss'"},
      {"foreign iss", With("iss", "https://issuer.example/"), "'iss'"},
      {"iss is a list", With("iss", {Rules().issuer}), "'iss'"},
      {"without aud", Without("aud"), "'aud'"},
      {"foreign aud", With("aud", "other"), "'aud'"},
      {"foreign aud in a list", With("aud", {"other"}), "'aud'"},
      {"aud of another form", With("aud", 7), "'aud'"},
      {"without exp", Without("exp"), "'exp' is missing"},
      {"exp is text", With("exp", std::to_string(kNowS + 600)), "'exp' is not a time"},
      {"exp is null", With("exp", nullptr), "'exp' is not a time"},
      {"exp is negative", With("exp", -1), "'exp' is not a time"},
      {"exp is too large", With("exp", 1e300), "'exp' is not a time"},
      {"expired", With("exp", kNowS - 61), "expired"},
      {"nbf in the future", With("nbf", kNowS + 61), "'nbf' is in the future"},
      {"nbf of another form", With("nbf", json::array()), "'nbf' is not a time"},
      {"iat in the future", With("iat", kNowS + 61), "'iat' is in the future"},
      {"without sub", Without("sub"), "'sub'"},
      {"sub is a number", With("sub", 17), "'sub'"},
      {"sub is a list", With("sub", {"ada"}), "'sub'"},
      {"sub is empty", With("sub", ""), "'sub'"},
      {"sub with a slash", With("sub", "rider/ada"), "'sub'"},
      {"sub with a line break", With("sub", "ada\neve"), "'sub'"},
      {"sub with a zero byte", With("sub", std::string("ada\0eve", 7)), "'sub'"},
      {"sub of 65 bytes", With("sub", std::string(65, 'a')), "'sub'"},
      {"without role", Without("role"), "'role'"},
      {"unknown role", With("role", "admin"), "'role'"},
      {"role in capitals", With("role", "Rider"), "'role'"},
      {"role service", With("role", "service"), "'role'"},
      {"two roles", With("role", {"rider", "operator"}), "'role'"},
      {"market of another form", With("market", {"manhattan"}), "'market'"},
      {"market is empty", With("market", ""), "'market'"},
      {"jti is a number", With("jti", 4), "'jti'"},
      {"jti with a space", With("jti", "a b"), "'jti'"},
      {"jti of 256 bytes", With("jti", std::string(256, 'a')), "'jti'"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const auto claims = Verify(Sign(test.claims));
    if (test.refusal == nullptr) {
      EXPECT_THAT(claims, IsOk());
    } else {
      EXPECT_THAT(claims, StatusIs(absl::StatusCode::kUnauthenticated, test.refusal));
    }
  }
}

TEST_F(TokenTest, ToleratesClocksThatDifferByTheSkew) {
  struct Case {
    Duration offset;
    const char* refusal;
  };
  const json claims = {{"iss", Rules().issuer}, {"aud", Rules().audience},
                       {"sub", "ada"},          {"role", "rider"},
                       {"nbf", kNowS},          {"exp", kNowS + 600}};
  const std::string token = Sign(claims);
  const Case cases[] = {
      {-61s, "'nbf' is in the future"}, {-60s, nullptr},   {0s, nullptr}, {599s, nullptr},
      {600s + 60s - 1us, nullptr},      {660s, "expired"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.offset.count());
    const auto verified = Verify(token, kNow + test.offset);
    if (test.refusal == nullptr) {
      EXPECT_THAT(verified, IsOk());
    } else {
      EXPECT_THAT(verified, StatusIs(absl::StatusCode::kUnauthenticated, test.refusal));
    }
  }
}

TEST_F(TokenTest, ChecksTheHeader) {
  const std::string good = Sign(GoodClaims());
  struct Case {
    const char* name;
    std::string token;
    const char* refusal;
  };
  const Case cases[] = {
      {"unknown kid", Sign(GoodClaims(), R"({"kid":"k2"})"), "'kid' names no known key"},
      {"kid is a number", WithHeader(good, R"({"alg":"ES256","kid":1})"), "'kid'"},
      {"without kid", WithHeader(good, R"({"alg":"ES256"})"), "'kid'"},
      {"crit", Sign(GoodClaims(), R"({"crit":["exp"]})"), "'crit'"},
      {"crit is empty", Sign(GoodClaims(), R"({"crit":[]})"), "'crit'"},
      {"another type", Sign(GoodClaims(), R"({"typ":"secevent+jwt"})"), "'typ'"},
      {"alg none", WithHeader(good, R"({"alg":"none","kid":"k1"})"), "'alg'"},
      {"alg in lower case", WithHeader(good, R"({"alg":"es256","kid":"k1"})"), "'alg'"},
      {"alg is a number", WithHeader(good, R"({"alg":7,"kid":"k1"})"), "'alg'"},
      {"without alg", WithHeader(good, R"({"kid":"k1"})"), "'alg'"},
      {"HMAC", WithHeader(good, R"({"alg":"HS256","kid":"k1"})"), "'alg'"},
      {"another curve", WithHeader(good, R"({"alg":"ES384","kid":"k1"})"), "'alg'"},
      {"RSA for an EC key", WithHeader(good, R"({"alg":"RS256","kid":"k1"})"),
       "'alg' isn't the algorithm of the key"},
      {"two algs", WithHeader(good, R"({"alg":"ES256","kid":"k1","alg":"none"})"), "unique names"},
      {"no JSON", WithHeader(good, "ES256"), "JSON"},
      {"a list", WithHeader(good, "[]"), "JSON"},
      {"deep", WithHeader(good, std::string(5'000, '[')), "JSON"},
      {"re-written header", WithHeader(good, R"({"alg":"ES256", "kid":"k1","typ":"JWT"})"),
       "the signature is wrong"},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(Verify(test.token), StatusIs(absl::StatusCode::kUnauthenticated, test.refusal))
        << test.name;
  }
}

// The classic confusion: the public key, which everybody has, as the secret of an HMAC.
TEST_F(TokenTest, RejectsHmacWithThePublicKeyAsSecret) {
  const std::string jwks = Signer().PublicJwks();
  cjose_err error{};
  KeySet::Key secret{Algorithm::kEs256, nullptr};
  secret.jwk.reset(cjose_jwk_create_oct_spec(reinterpret_cast<const std::uint8_t*>(jwks.data()),
                                             jwks.size(), &error));
  ASSERT_NE(secret.jwk, nullptr);
  cjose_header_t* header = cjose_header_new(&error);
  cjose_header_set(header, "alg", "HS256", &error);
  cjose_header_set(header, "kid", "k1", &error);
  const std::string claims = GoodClaims().dump();
  cjose_jws_t* jws =
      cjose_jws_sign(secret.jwk.get(), header, reinterpret_cast<const std::uint8_t*>(claims.data()),
                     claims.size(), &error);
  cjose_header_release(header);
  const char* text = nullptr;
  ASSERT_TRUE(jws != nullptr && cjose_jws_export(jws, &text, &error));
  EXPECT_THAT(Verify(text), StatusIs(absl::StatusCode::kUnauthenticated, "'alg'"));
  cjose_jws_release(jws);
}

TEST_F(TokenTest, RejectsTokensThatAreCutAnywhere) {
  const std::string good = Sign(GoodClaims());
  ASSERT_THAT(Verify(good), IsOk());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(Verify(good.substr(0, size)), StatusIs(absl::StatusCode::kUnauthenticated, "token"))
        << size;
  }
}

TEST_F(TokenTest, RejectsSignaturesWithMoreBytes) {
  const std::string good = Sign(GoodClaims());
  ASSERT_THAT(Verify(good), IsOk());
  for (const char* more : {"0", "00", "AA", "AAA", "AAAA"}) {
    EXPECT_THAT(Verify(good + more), Not(IsOk())) << more;
  }
}

TEST_F(TokenTest, RejectsTokensThatAreAlteredAnywhere) {
  const std::string good = Sign(GoodClaims());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char other : {'A', '_', '.', '=', ' ', '\0', '\xff', static_cast<char>(good[i] ^ 1),
                             static_cast<char>(good[i] ^ 32)}) {
      if (other == good[i]) continue;
      std::string altered = good;
      altered[i] = other;
      EXPECT_THAT(Verify(altered), Not(IsOk())) << i << " " << static_cast<int>(other);
    }
  }
}

TEST_F(TokenTest, RejectsOtherForms) {
  const std::string good = Sign(GoodClaims());
  const auto parts = PartsOf(good);
  const std::string zeros = Encode(std::string(64, '\0'));
  const std::string cases[] = {
      "",
      ".",
      "..",
      "...",
      good + ".",
      "." + good,
      good + "." + parts[2],
      good + "=",
      " " + good,
      good + "\n",
      "Bearer " + good,
      parts[0] + "." + parts[1],
      parts[0] + "." + parts[1] + ".",
      parts[0] + ".." + parts[2],
      parts[0] + "." + parts[1] + "." + zeros,
      WithClaims(good, With("role", "operator").dump()),
      std::string(100 << 10, 'a'),
      std::string(100 << 10, '.'),
      good + std::string(100 << 10, 'A'),
  };
  for (const std::string& token : cases) {
    EXPECT_THAT(Verify(token), StatusIs(absl::StatusCode::kUnauthenticated, "token"))
        << token.substr(0, 300);
  }
}

TEST_F(TokenTest, RejectsSignedClaimsOfAnotherForm) {
  const std::string claims = GoodClaims().dump();
  const std::string twice = claims.substr(0, claims.size() - 1) + R"(,"sub":"eve"})";
  EXPECT_THAT(Verify(Sign(With("address", {{"city", "New York"}}))), IsOk());
  for (const std::string& payload :
       {twice, std::string("[]"), std::string("null"), std::string("{"), claims + claims,
        std::string("\"ada\""), claims + std::string(1, '\0'), std::string("{\"sub\":\"\xff\"}")}) {
    EXPECT_THAT(Verify(*Signer().Sign("{}", payload)),
                StatusIs(absl::StatusCode::kUnauthenticated, "the claims aren't one JSON object"))
        << payload;
  }
}

TEST_F(TokenTest, RejectsAnotherIssuersKeyUnderTheSameKid) {
  const auto stranger = TokenSigner::Generate(Algorithm::kEs256, "k1");
  ASSERT_THAT(stranger, IsOk());
  EXPECT_THAT(Verify(*stranger->Sign("{}", GoodClaims().dump())),
              StatusIs(absl::StatusCode::kUnauthenticated, "the signature is wrong"));
}

TEST_F(TokenTest, RejectsEverythingWithoutRules) {
  EXPECT_THAT(VerifyToken(Sign(With("iss", "")), *keys_, TokenRules{"", "ridestream"}, kNow),
              Not(IsOk()));
  EXPECT_THAT(VerifyToken(Sign(With("aud", "")), *keys_, TokenRules{Rules().issuer, ""}, kNow),
              Not(IsOk()));
}

TEST_F(TokenTest, RefusalsNeverRepeatTheToken) {
  const auto refused = Verify(Sign(With("sub", "a secret subject")));
  EXPECT_THAT(std::string(refused.status().message()), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace ridestream::identity
