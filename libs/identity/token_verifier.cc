#include "libs/identity/token_verifier.h"

#include <utility>

namespace ridestream::identity {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<TokenVerifier>> TokenVerifier::Start(Options options,
                                                                    const Clock& clock) {
  std::unique_ptr<TokenVerifier> verifier(new TokenVerifier(std::move(options), clock));
  if (absl::Status status = verifier->OpenKeys(); !status.ok()) return status;
  if (!verifier->options_.revocation_file.empty()) {
    auto revocations = ReloadedFile<Revocations>::Open(verifier->options_.revocation_file,
                                                       kMaxFileBytes, &Revocations::Parse);
    if (!revocations.ok()) return revocations.status();
    verifier->revocations_ = *std::move(revocations);
  }
  verifier->ReloadFilesLater();
  if (verifier->source_ != nullptr) verifier->FetchKeysLater();
  return verifier;
}

TokenVerifier::~TokenVerifier() {
  if (source_ != nullptr) source_->Stop();
}

absl::Status TokenVerifier::OpenKeys() {
  const std::string& from = options_.key_file;
  if (IsHttpsUrl(from)) {
    auto source = HttpsSource::Make(
        {.url = from, .authorities = options_.key_authorities, .max_bytes = kMaxFileBytes});
    if (!source.ok()) return source.status();
    source_ = *std::move(source);
  }
  auto keys = source_ == nullptr ? ReloadedFile<KeySet>::Open(from, kMaxFileBytes, &KeySet::Parse)
                                 : ReloadedFile<KeySet>::Open(
                                       from, [this] { return source_->Fetch(); }, &KeySet::Parse);
  if (!keys.ok()) return keys.status();
  keys_ = *std::move(keys);
  return absl::OkStatus();
}

void TokenVerifier::ReloadFilesLater() {
  timer_.After(options_.reload_every, [this] {
    Reload();
    ReloadFilesLater();
  });
}

void TokenVerifier::FetchKeysLater() {
  fetcher_.After(options_.fetch_every, [this] {
    keys_->Reload();
    FetchKeysLater();
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
  if (source_ == nullptr) keys_->Reload();
  if (revocations_ != nullptr) revocations_->Reload();
}

std::uint64_t TokenVerifier::failures() const {
  return keys_->failures() + (revocations_ == nullptr ? 0 : revocations_->failures());
}

bool TokenVerifier::stale() const {
  return keys_->stale() || (revocations_ != nullptr && revocations_->stale());
}

}  // namespace ridestream::identity
