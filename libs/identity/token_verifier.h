#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/timer_queue.h"
#include "libs/identity/https_source.h"
#include "libs/identity/key_set.h"
#include "libs/identity/reloaded_file.h"
#include "libs/identity/revocations.h"
#include "libs/identity/token.h"

namespace ridestream::identity {

/// Verifies tokens against a key set and a list of revocations. Both are read again on separate
/// threads: files every second, keys from a URL every minute. If the new content can't be used, the
/// last good one stays in force, an error is logged, and `failures` counts it. Thread-safe.
class TokenVerifier {
 public:
  struct Options {
    /// The path or https URL of a JWKS; see KeySet.
    std::string key_file;
    /// For a URL: see HttpsSource::Options.
    std::string key_authorities = {};
    /// See Revocations. Empty: no revocations.
    std::string revocation_file = {};
    TokenRules rules;
    /// How long a stream may stay open after its token has expired.
    Duration stream_grace = std::chrono::minutes(5);
    /// Wall time between two reads of the files.
    std::chrono::milliseconds reload_every{1'000};
    /// Wall time from the end of one fetch of keys to the start of the next.
    std::chrono::milliseconds fetch_every{60'000};
  };

  /// `clock` must be a wall clock, because tokens carry wall-clock times, and must outlive the
  /// verifier. Fails if a file or URL can't be used. Must be called before other threads start: see
  /// HttpsSource.
  static absl::StatusOr<std::unique_ptr<TokenVerifier>> Start(Options options, const Clock& clock);

  ~TokenVerifier();

  /// See VerifyToken; also UNAUTHENTICATED for a revoked token or subject.
  absl::StatusOr<Claims> Verify(std::string_view token) const;

  /// Whether a stream that was opened with a token with these claims may stay open. UNAUTHENTICATED
  /// once they are revoked, or once the token expired longer ago than the grace period. Cheap
  /// enough to call every second for every open stream.
  absl::Status CheckOpenStream(const Claims& claims) const;

  /// Reads the files immediately.
  void Reload();
  /// Number of times that a file couldn't be used since the start.
  std::uint64_t failures() const;
  /// Whether an earlier content of a file is in use because the current content can't be used.
  bool stale() const;

 private:
  TokenVerifier(Options options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}
  absl::Status OpenKeys();
  void ReloadFilesLater();
  void FetchKeysLater();

  const Options options_;
  const Clock& clock_;
  std::unique_ptr<HttpsSource> source_;  // Null if keys come from a file.
  std::unique_ptr<ReloadedFile<KeySet>> keys_;
  std::unique_ptr<ReloadedFile<Revocations>> revocations_;  // Null without a file.
  // Declared last, because their functions use the other members. Separate queues, so that a slow
  // fetch doesn't delay revocations.
  TimerQueue timer_;
  TimerQueue fetcher_;
};

}  // namespace ridestream::identity
