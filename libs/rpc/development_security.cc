#include "libs/rpc/development_security.h"

#include <chrono>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/invariant.h"
#include "libs/base/mutex.h"
#include "libs/identity/development_authority.h"
#include "libs/identity/token_signer.h"
#include "libs/rpc/client_security.h"
#include "libs/rpc/tls_credentials.h"

namespace ridestream::rpc {
namespace {

constexpr std::chrono::hours kLifetime{1};
/// Number of callers whose tokens are kept. Beyond it all tokens are signed again.
constexpr std::size_t kMaxTokens = 200'000;

/// Tokens of many callers. Thread-safe.
class TokenCache {
 public:
  explicit TokenCache(identity::TokenSigner signer) : signer_(std::move(signer)) {}

  std::string TokenFor(const identity::Principal& caller) {
    const std::string name = identity::Name(caller) + "@" + caller.market;
    const Time now = wall_.Now();
    MutexLock lock(mu_);
    if (const auto found = tokens_.find(name);
        found != tokens_.end() && now < found->second.until) {
      return found->second.text;
    }
    auto token = signer_.Mint(caller, identity::DevelopmentTokenRules(), now, kLifetime);
    if (!RIDESTREAM_INVARIANT(token.ok(), "a key that was read signs tokens")) return "";
    if (tokens_.size() >= kMaxTokens) tokens_.clear();
    tokens_[name] = {*token, now + kLifetime / 2};
    return *std::move(token);
  }

 private:
  struct Token {
    std::string text;
    Time until;
  };

  const ScaledClock wall_;
  Mutex mu_;
  const identity::TokenSigner signer_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Token> tokens_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

absl::Status UseDevelopmentAuthority(const std::string& folder) {
  if (folder.empty()) {
    UseClientSecurity({});
    return absl::OkStatus();
  }
  auto signer = identity::DevelopmentAuthority::ReadSigner(folder);
  if (!signer.ok()) return signer.status();
  auto tls = TlsCredentials::Load({.certificate = folder + "/loadtest.pem",
                                   .key = folder + "/loadtest.key",
                                   .authorities = folder + "/authority.pem"});
  if (!tls.ok()) return tls.status();
  auto cache = std::make_shared<TokenCache>(*std::move(signer));
  UseClientSecurity(
      {.credentials = (*tls)->ForChannel({"trip", "location", "dispatch", "gateway", "door"}),
       .token = [cache](const identity::Principal& caller) { return cache->TokenFor(caller); }});
  return absl::OkStatus();
}

}  // namespace ridestream::rpc
