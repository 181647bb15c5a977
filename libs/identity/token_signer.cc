#include "libs/identity/token_signer.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "cjose/jws.h"
#include "libs/identity/base64url.h"
#include "libs/identity/strict_json.h"

namespace ridestream::identity {
namespace {

using nlohmann::json;

struct ReleaseHeader {
  void operator()(cjose_header_t* header) const { cjose_header_release(header); }
};
struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};

absl::Status SigningFailed(std::string_view what, const cjose_err& error) {
  return absl::InternalError(
      fmt::format("{}: {}", what, error.message == nullptr ? "unknown error" : error.message));
}

std::string ToJson(const cjose_jwk_t* key, bool is_private) {
  cjose_err error{};
  const std::unique_ptr<char, decltype(&std::free)> text(cjose_jwk_to_json(key, is_private, &error),
                                                         &std::free);
  return text == nullptr ? std::string() : std::string(text.get());
}

const char* AlgorithmName(Algorithm algorithm) {
  return algorithm == Algorithm::kEs256 ? "ES256" : "RS256";
}

std::int64_t Seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

absl::StatusOr<std::string> RandomId() {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return absl::InternalError("no random numbers");
  std::string id;
  for (const unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

absl::StatusOr<TokenSigner> TokenSigner::Generate(Algorithm algorithm, const std::string& kid) {
  cjose_err error{};
  KeySet::Key key{algorithm, nullptr};
  if (algorithm == Algorithm::kEs256) {
    key.jwk.reset(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error));
  } else {
    const std::uint8_t exponent[] = {1, 0, 1};
    key.jwk.reset(cjose_jwk_create_RSA_random(2048, exponent, sizeof exponent, &error));
  }
  if (key.jwk == nullptr) return SigningFailed("a key can't be made", error);
  if (!cjose_jwk_set_kid(key.jwk.get(), kid.data(), kid.size(), &error)) {
    return SigningFailed("the kid can't be set", error);
  }
  return TokenSigner(std::move(key), kid);
}

absl::StatusOr<TokenSigner> TokenSigner::FromPrivateJwk(std::string_view jwk) {
  const absl::StatusOr<json> members = ParseStrictJson(jwk);
  if (!members.ok()) return members.status();
  for (const char* name : {"x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi"}) {
    const auto found = members->find(name);
    if (found == members->end()) continue;
    if (!found->is_string() || !DecodeBase64Url(found->get_ref<const std::string&>())) {
      return absl::InvalidArgumentError("not a JWK");
    }
  }
  cjose_err error{};
  KeySet::Key key{Algorithm::kEs256, nullptr};
  key.jwk.reset(cjose_jwk_import(jwk.data(), jwk.size(), &error));
  if (key.jwk == nullptr) return absl::InvalidArgumentError("not a JWK");
  const cjose_jwk_kty_t type = cjose_jwk_get_kty(key.jwk.get(), &error);
  if (type == CJOSE_JWK_KTY_OCT) return absl::InvalidArgumentError("neither an EC nor an RSA key");
  if (type == CJOSE_JWK_KTY_RSA) key.algorithm = Algorithm::kRs256;
  const char* kid = cjose_jwk_get_kid(key.jwk.get(), &error);
  if (kid == nullptr) return absl::InvalidArgumentError("a key without kid");
  std::string name(kid);
  return TokenSigner(std::move(key), std::move(name));
}

std::string TokenSigner::PrivateJwk() const { return ToJson(key_.jwk.get(), true); }

std::string TokenSigner::PublicJwks() const {
  json key = json::parse(ToJson(key_.jwk.get(), false));
  key["use"] = "sig";
  key["alg"] = AlgorithmName(key_.algorithm);
  return json{{"keys", {key}}}.dump();
}

absl::StatusOr<std::string> TokenSigner::Mint(const Principal& principal, const TokenRules& rules,
                                              Time now, std::chrono::seconds lifetime) const {
  const absl::StatusOr<std::string> id = RandomId();
  if (!id.ok()) return id.status();
  json claims{{"iss", rules.issuer},
              {"aud", rules.audience},
              {"sub", principal.id},
              {"role", std::string(RoleName(principal.role))},
              {"iat", Seconds(now)},
              {"nbf", Seconds(now)},
              {"exp", Seconds(now + lifetime)},
              {"jti", *id}};
  if (!principal.market.empty()) claims["market"] = principal.market;
  return Sign(R"({"typ":"JWT"})", claims.dump());
}

absl::StatusOr<std::string> TokenSigner::Sign(std::string_view header,
                                              std::string_view payload) const {
  absl::StatusOr<json> members = ParseStrictJson(header);
  if (!members.ok()) return members.status();
  if (!members->contains("alg")) (*members)["alg"] = AlgorithmName(key_.algorithm);
  if (!members->contains("kid")) (*members)["kid"] = kid_;
  cjose_err error{};
  const std::unique_ptr<cjose_header_t, ReleaseHeader> raw(cjose_header_new(&error));
  for (const auto& [name, value] : members->items()) {
    // The first function takes strings only, the second one other JSON values.
    const bool set =
        value.is_string()
            ? cjose_header_set(raw.get(), name.c_str(), value.get_ref<const std::string&>().c_str(),
                               &error)
            : cjose_header_set_raw(raw.get(), name.c_str(), value.dump().c_str(), &error);
    if (!set) return SigningFailed("the header can't be set", error);
  }
  const std::unique_ptr<cjose_jws_t, ReleaseJws> jws(cjose_jws_sign(
      key_.jwk.get(), raw.get(), reinterpret_cast<const std::uint8_t*>(payload.data()),
      payload.size(), &error));
  const char* text = nullptr;
  if (jws == nullptr || !cjose_jws_export(jws.get(), &text, &error)) {
    return SigningFailed("the token can't be signed", error);
  }
  return std::string(text);
}

}  // namespace ridestream::identity
