#include "libs/identity/key_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "libs/identity/base64url.h"
#include "libs/identity/strict_json.h"

namespace ridestream::identity {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxKidBytes = 128;
constexpr std::size_t kMinRsaBits = 2048;
constexpr std::size_t kMaxRsaBits = 4096;

/// The member as text; empty if it is absent or isn't a string.
std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsAbsentOr(const json& object, const char* name, std::string_view value) {
  return !object.contains(name) || TextOf(object, name) == value;
}

/// The algorithm of a key; nullopt for a key that can't sign our tokens.
std::optional<Algorithm> AlgorithmOf(const json& key) {
  if (TextOf(key, "kid").empty() || !IsAbsentOr(key, "use", "sig")) return std::nullopt;
  if (const auto operations = key.find("key_ops"); operations != key.end()) {
    if (!operations->is_array()) return std::nullopt;
    if (std::find(operations->begin(), operations->end(), "verify") == operations->end()) {
      return std::nullopt;
    }
  }
  const std::string type = TextOf(key, "kty");
  if (type == "EC" && TextOf(key, "crv") == "P-256" && IsAbsentOr(key, "alg", "ES256")) {
    return Algorithm::kEs256;
  }
  if (type == "RSA" && IsAbsentOr(key, "alg", "RS256")) return Algorithm::kRs256;
  return std::nullopt;
}

absl::StatusOr<KeySet::Key> ReadKey(const json& key, Algorithm algorithm) {
  if (key.contains("d")) return absl::InvalidArgumentError("is a private key");
  // An exponent of 1 would make every signature valid; 65537 is what issuers use.
  if (algorithm == Algorithm::kRs256 && TextOf(key, "e") != "AQAB") {
    return absl::InvalidArgumentError("has a public exponent other than 65537");
  }
  // Only checked members are passed to the library.
  json checked;
  for (const char* name : {"kty", "crv"}) {
    if (key.contains(name)) checked[name] = TextOf(key, name);
  }
  for (const char* name : {"x", "y", "n", "e"}) {
    if (!key.contains(name)) continue;
    checked[name] = TextOf(key, name);
    if (!DecodeBase64Url(TextOf(key, name))) return absl::InvalidArgumentError("is malformed");
  }
  const std::string text = checked.dump();
  cjose_err error{};
  KeySet::Key result{algorithm, nullptr};
  result.jwk.reset(cjose_jwk_import(text.data(), text.size(), &error));
  if (result.jwk == nullptr) return absl::InvalidArgumentError("is malformed");
  const std::size_t bits = cjose_jwk_get_keysize(result.jwk.get(), &error);
  if (algorithm == Algorithm::kRs256 && (bits < kMinRsaBits || bits > kMaxRsaBits)) {
    return absl::InvalidArgumentError(
        fmt::format("has {} bits, not {} to {}", bits, kMinRsaBits, kMaxRsaBits));
  }
  return result;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::Parse(std::string_view jwks) {
  absl::StatusOr<json> set = ParseStrictJson(jwks);
  if (!set.ok()) return set.status();
  const auto keys = set->find("keys");
  if (keys == set->end() || !keys->is_array()) {
    return absl::InvalidArgumentError("the key set has no array 'keys'");
  }
  if (keys->size() > kMaxKeys) {
    return absl::InvalidArgumentError(fmt::format("the key set has more than {} keys", kMaxKeys));
  }
  auto result = std::make_shared<KeySet>();
  for (std::size_t i = 0; i < keys->size(); ++i) {
    const json& key = (*keys)[i];
    if (!key.is_object())
      return absl::InvalidArgumentError(fmt::format("keys[{}] is not a key", i));
    const std::optional<Algorithm> algorithm = AlgorithmOf(key);
    if (!algorithm) continue;
    const std::string kid = TextOf(key, "kid");
    if (kid.size() > kMaxKidBytes) {
      return absl::InvalidArgumentError(
          fmt::format("keys[{}] has a kid of more than {} bytes", i, kMaxKidBytes));
    }
    absl::StatusOr<Key> read = ReadKey(key, *algorithm);
    if (!read.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("keys[{}] {}", i, std::string(read.status().message())));
    }
    if (!result->keys_.emplace(kid, *std::move(read)).second) {
      return absl::InvalidArgumentError(fmt::format("keys[{}] repeats a kid", i));
    }
  }
  if (result->keys_.empty()) {
    return absl::InvalidArgumentError("the key set has no key for ES256 or RS256 with a kid");
  }
  return result;
}

const KeySet::Key* KeySet::Find(std::string_view kid) const {
  const auto found = keys_.find(kid);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace ridestream::identity
