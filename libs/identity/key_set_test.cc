#include "libs/identity/key_set.h"

#include "gtest/gtest.h"
#include "libs/identity/token_signer.h"
#include "libs/testing/status_matchers.h"
#include "nlohmann/json.hpp"

namespace ridestream::identity {
namespace {

using nlohmann::json;
using testing::IsOk;
using testing::StatusIs;

/// The one key of a signer's JWKS.
json PublicKey(Algorithm algorithm, const std::string& kid) {
  return json::parse(TokenSigner::Generate(algorithm, kid)->PublicJwks())["keys"][0];
}

json Changed(json key, const char* name, json value) {
  key[name] = std::move(value);
  return key;
}

std::string Set(const std::vector<json>& keys) { return json{{"keys", keys}}.dump(); }

TEST(KeySetTest, FindsSeveralKeysByTheirIds) {
  const auto keys = KeySet::Parse(
      Set({PublicKey(Algorithm::kEs256, "old"), PublicKey(Algorithm::kRs256, "new")}));
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ((*keys)->size(), 2u);
  ASSERT_NE((*keys)->Find("old"), nullptr);
  EXPECT_EQ((*keys)->Find("old")->algorithm, Algorithm::kEs256);
  ASSERT_NE((*keys)->Find("new"), nullptr);
  EXPECT_EQ((*keys)->Find("new")->algorithm, Algorithm::kRs256);
  EXPECT_EQ((*keys)->Find("ol"), nullptr);
}

TEST(KeySetTest, SkipsKeysThatSignNoTokensOfOurs) {
  const json good = PublicKey(Algorithm::kEs256, "good");
  const json other = PublicKey(Algorithm::kEs256, "other");
  json without_kid = other;
  without_kid.erase("kid");
  for (const json& skipped : std::vector<json>{
           {{"kty", "oct"}, {"kid", "other"}, {"k", "c2VjcmV0"}},
           {{"kty", "OKP"}, {"kid", "other"}, {"crv", "Ed25519"}, {"x", "AA"}},
           {{"kty", "EC"}, {"kid", "other"}, {"crv", "P-384"}, {"x", "AA"}, {"y", "AA"}},
           Changed(other, "use", "enc"),
           Changed(other, "alg", "ES384"),
           Changed(other, "alg", "HS256"),
           Changed(other, "kid", 7),
           Changed(other, "key_ops", json::array({"encrypt"})),
           Changed(other, "key_ops", "verify"),
           without_kid,
           json::object()}) {
    const auto keys = KeySet::Parse(Set({skipped, good}));
    ASSERT_THAT(keys, IsOk()) << skipped;
    EXPECT_EQ((*keys)->size(), 1u) << skipped;
    EXPECT_THAT(KeySet::Parse(Set({skipped})),
                StatusIs(absl::StatusCode::kInvalidArgument, "has no key"));
  }
}

TEST(KeySetTest, RejectsInvalidKeySets) {
  const json good = PublicKey(Algorithm::kEs256, "good");
  const json rsa = PublicKey(Algorithm::kRs256, "rsa");
  struct Case {
    std::string jwks;
    const char* refusal;
  };
  const Case cases[] = {
      {"", "not a JSON object"},
      {"rubbish", "not a JSON object"},
      {"[]", "not a JSON object"},
      {Set({good}).substr(0, 60), "not a JSON object"},
      {std::string(1 << 20, '['), "nested too deeply"},
      {R"({"keys":[],"keys":[]})", "twice"},
      {"{}", "no array 'keys'"},
      {R"({"keys":{}})", "no array 'keys'"},
      {R"({"keys":[7]})", "keys[0] is not a key"},
      {R"({"keys":[]})", "has no key"},
      {Set({good, good}), "keys[1] repeats a kid"},
      {Set(std::vector<json>(65, good)), "more than 64 keys"},
      {Set({Changed(good, "d", "AA")}), "keys[0] is a private key"},
      {Set({Changed(good, "kid", std::string(129, 'a'))}), "keys[0] has a kid of more than"},
      {Set({Changed(good, "x", good["y"])}), "keys[0] is malformed"},  // Not on the curve.
      {Set({Changed(good, "x", "AA")}), "keys[0] is malformed"},
      {Set({Changed(good, "x", 7)}), "keys[0] is malformed"},
      {Set({Changed(good, "x", "A")}), "keys[0] is malformed"},
      {Set({Changed(good, "y", "")}), "keys[0] is malformed"},
      {Set({Changed(good, "y", std::string(100'000, 'A'))}), "keys[0] is malformed"},
      {Set({Changed(rsa, "n", "AAAAA")}), "keys[0] is malformed"},
      {Set({Changed(good, "x", "!")}), "keys[0] is malformed"},
      {Set({Changed(rsa, "e", "AQ")}), "public exponent"},
      {Set({Changed(rsa, "n", "AQAB")}), "bits"},
      {Set({Changed(rsa, "n", std::string(4'000, 'f'))}), "bits"},
      {Set({Changed(rsa, "n", "")}), "keys[0]"},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(KeySet::Parse(test.jwks),
                StatusIs(absl::StatusCode::kInvalidArgument, test.refusal))
        << test.jwks.substr(0, 500);
  }
}

TEST(KeySetTest, ASignerSurvivesItsFile) {
  const auto signer = TokenSigner::Generate(Algorithm::kEs256, "k1");
  ASSERT_THAT(signer, IsOk());
  const auto again = TokenSigner::FromPrivateJwk(signer->PrivateJwk());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->PublicJwks(), signer->PublicJwks());
  EXPECT_THAT(KeySet::Parse(json{{"keys", {json::parse(signer->PrivateJwk())}}}.dump()),
              StatusIs(absl::StatusCode::kInvalidArgument, "is a private key"));
}

}  // namespace
}  // namespace ridestream::identity
