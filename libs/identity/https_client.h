#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ridestream::identity {

/// The names and values of a form's fields, or of a query's parameters; not encoded.
using FormFields = std::vector<std::pair<std::string, std::string>>;

/// Percent-encodes all bytes but letters, digits and "-._~".
std::string EncodeFormValue(const std::string& text);
/// "name=value&name=value", percent-encoded.
std::string EncodeForm(const FormFields& fields);

/// Whether `text` begins as an https URL does.
inline bool IsHttpsUrl(const std::string& text) { return text.starts_with("https://"); }

struct HttpsRequest {
  std::string url;
  /// Sent by POST as application/x-www-form-urlencoded. Empty: GET.
  FormFields form = {};
  /// Credentials for HTTP Basic authentication. Empty user: none are sent.
  std::string user = {};
  std::string password = {};
};

struct HttpsResponse {
  long status = 0;
  std::string body;
};

/// Sends requests to HTTPS servers with libcurl, and blocks until the response is complete. The
/// server's certificate must name the URL's host and chain to a trusted authority. Redirects aren't
/// followed. Send must be called by one thread at a time; Stop may be called by any thread.
class HttpsClient {
 public:
  struct Options {
    /// PEM file with the certificates of the trusted authorities; empty: the system's authorities.
    std::string authorities = {};
    /// Maximum size of a response's body.
    std::size_t max_bytes = 1 << 20;
    /// Time limit of one request, up to the end of the response.
    std::chrono::milliseconds timeout{10'000};
  };

  /// Must be called before other threads start, as libcurl requires.
  static absl::StatusOr<std::unique_ptr<HttpsClient>> Make(Options options);
  ~HttpsClient();

  /// Returns the response, whatever its status. UNAVAILABLE, with the reason, if there is none;
  /// RESOURCE_EXHAUSTED beyond `max_bytes`; INVALID_ARGUMENT for a URL that isn't HTTPS. Error
  /// messages contain neither the form nor the credentials.
  absl::StatusOr<HttpsResponse> Send(const HttpsRequest& request);
  /// Ends a running request within a second, and makes all later ones fail.
  void Stop() { stopped_ = true; }

 private:
  explicit HttpsClient(Options options);

  const Options options_;
  std::atomic<bool> stopped_ = false;
  struct Handle;
  std::unique_ptr<Handle> handle_;  // Keeps the connection open between requests.
};

}  // namespace ridestream::identity
