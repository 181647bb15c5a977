#include "libs/identity/https_source.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <utility>

namespace ridestream::identity {
namespace {

constexpr long kOk = 200;

/// The body as it comes.
struct Body {
  std::string bytes;
  std::size_t max_bytes;
  bool is_too_long = false;
};

std::size_t Append(char* data, std::size_t, std::size_t size, void* to) {
  Body& body = *static_cast<Body*>(to);
  if (size > body.max_bytes - body.bytes.size()) {
    body.is_too_long = true;
    return 0;  // Ends the transfer.
  }
  body.bytes.append(data, size);
  return size;
}

/// Called at least once a second; 1 ends the transfer.
int ShouldEnd(void* stopped, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stopped)->load() ? 1 : 0;
}

}  // namespace

struct HttpsSource::Handle {
  Handle() : curl(curl_easy_init()) {}
  ~Handle() { curl_easy_cleanup(curl); }
  CURL* const curl;
  char error[CURL_ERROR_SIZE] = {};
};

absl::StatusOr<std::unique_ptr<HttpsSource>> HttpsSource::Make(Options options) {
  if (!IsUrl(options.url)) {
    return absl::InvalidArgumentError(fmt::format("{}: is not an https URL", options.url));
  }
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return absl::InternalError(curl_easy_strerror(started));
  std::unique_ptr<HttpsSource> source(new HttpsSource(std::move(options)));
  source->handle_ = std::make_unique<Handle>();
  CURL* const curl = source->handle_->curl;
  if (curl == nullptr) return absl::InternalError("libcurl makes no handle");
  const Options& set = source->options_;
  CURLcode failed = CURLE_OK;
  const auto option = [&](CURLoption which, auto value) {
    if (failed == CURLE_OK) failed = curl_easy_setopt(curl, which, value);
  };
  option(CURLOPT_URL, set.url.c_str());
  option(CURLOPT_PROTOCOLS_STR, "https");
  option(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  option(CURLOPT_NOSIGNAL, 1L);
  option(CURLOPT_TIMEOUT_MS, static_cast<long>(set.timeout.count()));
  option(CURLOPT_WRITEFUNCTION, &Append);
  option(CURLOPT_NOPROGRESS, 0L);
  option(CURLOPT_XFERINFOFUNCTION, &ShouldEnd);
  option(CURLOPT_XFERINFODATA, static_cast<void*>(&source->stopped_));
  option(CURLOPT_ERRORBUFFER, source->handle_->error);
  if (!set.authorities.empty()) {
    option(CURLOPT_CAINFO, set.authorities.c_str());
    option(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (failed != CURLE_OK) return absl::InvalidArgumentError(curl_easy_strerror(failed));
  return source;
}

HttpsSource::HttpsSource(Options options) : options_(std::move(options)) {}

HttpsSource::~HttpsSource() = default;

absl::StatusOr<std::string> HttpsSource::Fetch() {
  CURL* const curl = handle_->curl;
  Body body{.bytes = {}, .max_bytes = options_.max_bytes};
  handle_->error[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, static_cast<void*>(&body));
  const CURLcode result = curl_easy_perform(curl);
  if (body.is_too_long) {
    return absl::ResourceExhaustedError(fmt::format("is longer than {} bytes", options_.max_bytes));
  }
  if (result != CURLE_OK) {
    const char* const why = handle_->error[0] == '\0' ? curl_easy_strerror(result) : handle_->error;
    return absl::UnavailableError(fmt::format("can't be fetched: {}", why));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != kOk) {
    return absl::UnavailableError(fmt::format("answers with the status {}", status));
  }
  return std::move(body.bytes);
}

}  // namespace ridestream::identity
