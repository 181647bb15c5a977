// Tokens from strangers. The first byte selects whether a whole token follows, or claims that are
// signed before they are verified. Accepted tokens must have the form that the rest of the system
// relies on.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libs/base/validation.h"
#include "libs/identity/token.h"
#include "libs/identity/token_signer.h"

namespace {

using namespace ridestream;
using namespace ridestream::identity;

/// A key of this target alone.
constexpr char kKey[] =
    R"({"kty":"EC","crv":"P-256","kid":"fuzz","x":"8kNYxwVE4bF9MniwQLuuK-QbWlwMtxYYOHRxuCAmn5w","y":"kTeQTqaCXkDSYcRLun-CSHivW9zPZMfH9NTSFsoRLgs","d":"kfXSEsfuKS4eVli0AGlvTiokCy_4FbG1KMwtYDTN7wg"})";
constexpr Time kNow = std::chrono::sys_days{std::chrono::November / 28 / 2026};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto signer = TokenSigner::FromPrivateJwk(kKey);
  if (!signer.ok()) std::abort();
  static const auto keys = KeySet::Parse(signer->PublicJwks());
  if (!keys.ok()) std::abort();
  if (size == 0) return 0;
  std::string token(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'c') {
    auto signed_token = signer->Sign("{}", token);
    if (!signed_token.ok()) return 0;
    token = *std::move(signed_token);
  }
  const auto claims = VerifyToken(token, **keys, {"issuer", "ridestream"}, kNow);
  if (!claims.ok()) {
    const absl::string_view message = claims.status().message();
    if (claims.status().code() != absl::StatusCode::kUnauthenticated || message.size() > 100 ||
        std::any_of(message.begin(), message.end(), [](char c) { return c < ' ' || c > '~'; })) {
      std::abort();
    }
    return 0;
  }
  const Principal& caller = claims->principal;
  if (!IsId(caller.id) || !ValidateOptionalId(caller.market, "market").ok() ||
      caller.role == Role::kService || claims->token_id.size() > 255 ||
      claims->expires_at + std::chrono::minutes(1) <= kNow) {
    std::abort();
  }
  return 0;
}
