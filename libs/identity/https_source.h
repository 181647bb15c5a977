#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace ridestream::identity {

/// The content of an https URL, fetched by libcurl: the certificate must name the URL's host and
/// lead to a trusted authority; redirects aren't followed. One thread at a time fetches; Stop comes
/// from any.
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

  /// Whether `text` begins as an https URL does.
  static bool IsUrl(const std::string& text) { return text.starts_with("https://"); }

  /// INVALID_ARGUMENT for what is not an https URL. Call it before other threads start: libcurl
  /// asks for that.
  static absl::StatusOr<std::unique_ptr<HttpsSource>> Make(Options options);
  ~HttpsSource();

  /// The body of an answer with the status 200. UNAVAILABLE, with the reason, for everything else;
  /// RESOURCE_EXHAUSTED beyond `max_bytes`.
  absl::StatusOr<std::string> Fetch();
  /// Ends the fetch that is under way within a second, and fails all later ones.
  void Stop() { stopped_ = true; }

 private:
  explicit HttpsSource(Options options);

  const Options options_;
  std::atomic<bool> stopped_ = false;
  struct Handle;
  std::unique_ptr<Handle> handle_;  // Keeps the connection between fetches.
};

}  // namespace ridestream::identity
