#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/identity/https_client.h"

namespace ridestream::identity {

/// Fetches the content of an HTTPS URL; see HttpsClient. Fetch must be called by one thread at a
/// time; Stop may be called by any thread.
class HttpsSource {
 public:
  struct Options {
    std::string url;
    /// PEM file with the certificates of the trusted authorities; empty: the system's authorities.
    std::string authorities = {};
    std::size_t max_bytes = 1 << 20;
    /// Time limit of one fetch.
    std::chrono::milliseconds timeout{10'000};
  };

  /// INVALID_ARGUMENT for a URL that isn't HTTPS. Must be called before other threads start, as
  /// libcurl requires.
  static absl::StatusOr<std::unique_ptr<HttpsSource>> Make(Options options);

  /// Returns the body of a response with status 200. UNAVAILABLE, with the reason, for any other
  /// outcome; RESOURCE_EXHAUSTED beyond `max_bytes`.
  absl::StatusOr<std::string> Fetch();
  /// Ends a running fetch within a second, and makes all later ones fail.
  void Stop() { client_->Stop(); }

 private:
  HttpsSource(std::string url, std::unique_ptr<HttpsClient> client)
      : url_(std::move(url)), client_(std::move(client)) {}

  const std::string url_;
  const std::unique_ptr<HttpsClient> client_;
};

}  // namespace ridestream::identity
