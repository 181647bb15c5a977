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

/// Verifies tokens against a key set and a list of revocations. Both are read again on threads of
/// its own: files every second, keys from a URL every minute. What can't be used leaves the last
/// good one in force: an error line and `failures` say so. Thread-safe.
class TokenVerifier {
 public:
  struct Options {
    /// The path or https URL of a JWKS; see KeySet.
    std::string key_file;
    /// For a URL: see HttpsSource::Options.
    std::string key_authorities = {};
    /// See Revocations. Empty: nothing can be revoked.
    std::string revocation_file = {};
    TokenRules rules;
    /// How long after its token's end a stream that was opened with it may stay open.
    Duration stream_grace = std::chrono::minutes(5);
    /// Wall time between two looks at the files.
    std::chrono::milliseconds reload_every{1'000};
    /// Wall time between the end of one fetch of keys from a URL and the beginning of the next.
    std::chrono::milliseconds fetch_every{60'000};
  };

  /// `clock` must be a wall clock, since issuers sign wall-clock times, and must outlive the
  /// verifier. An error when a file or URL can't be used. Call it before other threads start: see
  /// HttpsSource.
  static absl::StatusOr<std::unique_ptr<TokenVerifier>> Start(Options options, const Clock& clock);

  ~TokenVerifier();

  /// See VerifyToken; also UNAUTHENTICATED for what is revoked.
  absl::StatusOr<Claims> Verify(std::string_view token) const;

  /// Whether a stream that was opened with a token of these claims may stay open: UNAUTHENTICATED
  /// once they are revoked or the token ended more than the grace ago. Cheap; to be asked about
  /// every open stream, say, every second.
  absl::Status CheckOpenStream(const Claims& claims) const;

  /// Reads the files now.
  void Reload();
  /// Times that a file couldn't be used since the start.
  std::uint64_t failures() const;
  /// Whether an earlier content of a file is in use because the present one can't be.
  bool stale() const;

 private:
  TokenVerifier(Options options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}
  absl::Status OpenKeys();
  void ReloadFilesLater();
  void FetchKeysLater();

  const Options options_;
  const Clock& clock_;
  std::unique_ptr<HttpsSource> source_;  // nullptr for keys from a file.
  std::unique_ptr<ReloadedFile<KeySet>> keys_;
  std::unique_ptr<ReloadedFile<Revocations>> revocations_;  // nullptr without a file.
  // Last: what they call uses the others. A fetch may take long, and must not hold up revocations.
  TimerQueue timer_;
  TimerQueue fetcher_;
};

}  // namespace ridestream::identity
