#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/identity/https_client.h"

namespace ridestream::identity {

/// The content of an https URL; see HttpsClient. One thread at a time fetches; Stop comes from any.
class HttpsSource {
 public:
  struct Options {
    std::string url;
    /// File with the certificates of the authorities to trust, as PEM; empty: the system's.
    std::string authorities = {};
    std::size_t max_bytes = 1 << 20;
    /// Limit of one fetch, from its beginning to its end.
    std::chrono::milliseconds timeout{10'000};
  };

  /// INVALID_ARGUMENT for what is not an https URL. Call it before other threads start: libcurl
  /// asks for that.
  static absl::StatusOr<std::unique_ptr<HttpsSource>> Make(Options options);

  /// The body of an answer with the status 200. UNAVAILABLE, with the reason, for everything else;
  /// RESOURCE_EXHAUSTED beyond `max_bytes`.
  absl::StatusOr<std::string> Fetch();
  /// Ends the fetch that is under way within a second, and fails all later ones.
  void Stop() { client_->Stop(); }

 private:
  HttpsSource(std::string url, std::unique_ptr<HttpsClient> client)
      : url_(std::move(url)), client_(std::move(client)) {}

  const std::string url_;
  const std::unique_ptr<HttpsClient> client_;
};

}  // namespace ridestream::identity
