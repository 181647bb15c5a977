#include "libs/identity/token_verifier.h"

#include <utility>

namespace ridestream::identity {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<TokenVerifier>> TokenVerifier::Start(Options options,
                                                                    const Clock& clock) {
  std::unique_ptr<TokenVerifier> verifier(new TokenVerifier(std::move(options), clock));
  auto keys =
      ReloadedFile<KeySet>::Open(verifier->options_.key_file, kMaxFileBytes, &KeySet::Parse);
  if (!keys.ok()) return keys.status();
  verifier->keys_ = *std::move(keys);
  if (!verifier->options_.revocation_file.empty()) {
    auto revocations = ReloadedFile<Revocations>::Open(verifier->options_.revocation_file,
                                                       kMaxFileBytes, &Revocations::Parse);
    if (!revocations.ok()) return revocations.status();
    verifier->revocations_ = *std::move(revocations);
  }
  verifier->ReloadLater();
  return verifier;
}

void TokenVerifier::ReloadLater() {
  timer_.After(options_.reload_every, [this] {
    Reload();
    ReloadLater();
  });
}

absl::StatusOr<Claims> TokenVerifier::Verify(std::string_view token) const {
  const std::shared_ptr<const KeySet> keys = keys_->value();
  absl::StatusOr<Claims> claims = VerifyToken(token, *keys, options_.rules, clock_.Now());
  if (claims.ok() && revocations_ != nullptr && revocations_->value()->Contain(*claims)) {
    return absl::UnauthenticatedError("token: revoked");
  }
  return claims;
}

absl::Status TokenVerifier::CheckOpenStream(const Claims& claims) const {
  if (revocations_ != nullptr && revocations_->value()->Contain(claims)) {
    return absl::UnauthenticatedError("token: revoked");
  }
  const Duration tolerance = options_.rules.clock_skew + options_.stream_grace;
  if (clock_.Now() >= claims.expires_at + tolerance) {
    return absl::UnauthenticatedError("token: expired");
  }
  return absl::OkStatus();
}

void TokenVerifier::Reload() {
  keys_->Reload();
  if (revocations_ != nullptr) revocations_->Reload();
}

std::uint64_t TokenVerifier::failures() const {
  return keys_->failures() + (revocations_ == nullptr ? 0 : revocations_->failures());
}

bool TokenVerifier::stale() const {
  return keys_->stale() || (revocations_ != nullptr && revocations_->stale());
}

}  // namespace ridestream::identity
