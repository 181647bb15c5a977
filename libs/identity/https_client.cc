#include "libs/identity/https_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <utility>

namespace ridestream::identity {
namespace {

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

std::string EncodeFormValue(const std::string& text) {
  if (text.empty()) return text;  // libcurl would interpret 0 as "determine the length".
  const std::unique_ptr<char, decltype(&curl_free)> escaped(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), &curl_free);
  return escaped == nullptr ? std::string() : std::string(escaped.get());
}

std::string EncodeForm(const FormFields& fields) {
  std::string encoded;
  for (const auto& [name, value] : fields) {
    if (!encoded.empty()) encoded += '&';
    encoded += EncodeFormValue(name) + "=" + EncodeFormValue(value);
  }
  return encoded;
}

struct HttpsClient::Handle {
  Handle() : curl(curl_easy_init()) {}
  ~Handle() { curl_easy_cleanup(curl); }
  CURL* const curl;
  char error[CURL_ERROR_SIZE] = {};
};

absl::StatusOr<std::unique_ptr<HttpsClient>> HttpsClient::Make(Options options) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return absl::InternalError(curl_easy_strerror(started));
  std::unique_ptr<HttpsClient> client(new HttpsClient(std::move(options)));
  client->handle_ = std::make_unique<Handle>();
  CURL* const curl = client->handle_->curl;
  if (curl == nullptr) return absl::InternalError("libcurl makes no handle");
  const Options& set = client->options_;
  CURLcode failed = CURLE_OK;
  const auto option = [&](CURLoption which, auto value) {
    if (failed == CURLE_OK) failed = curl_easy_setopt(curl, which, value);
  };
  option(CURLOPT_PROTOCOLS_STR, "https");
  option(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  option(CURLOPT_NOSIGNAL, 1L);
  option(CURLOPT_TIMEOUT_MS, static_cast<long>(set.timeout.count()));
  option(CURLOPT_WRITEFUNCTION, &Append);
  option(CURLOPT_NOPROGRESS, 0L);
  option(CURLOPT_XFERINFOFUNCTION, &ShouldEnd);
  option(CURLOPT_XFERINFODATA, static_cast<void*>(&client->stopped_));
  option(CURLOPT_ERRORBUFFER, client->handle_->error);
  option(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  if (!set.authorities.empty()) {
    option(CURLOPT_CAINFO, set.authorities.c_str());
    option(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (failed != CURLE_OK) return absl::InvalidArgumentError(curl_easy_strerror(failed));
  return client;
}

HttpsClient::HttpsClient(Options options) : options_(std::move(options)) {}

HttpsClient::~HttpsClient() = default;

absl::StatusOr<HttpsResponse> HttpsClient::Send(const HttpsRequest& request) {
  if (!IsHttpsUrl(request.url)) {
    return absl::InvalidArgumentError(fmt::format("{}: is not an https URL", request.url));
  }
  CURL* const curl = handle_->curl;
  Body body{.bytes = {}, .max_bytes = options_.max_bytes};
  const std::string form = EncodeForm(request.form);
  CURLcode result = CURLE_OK;
  const auto option = [&](CURLoption which, auto value) {
    if (result == CURLE_OK) result = curl_easy_setopt(curl, which, value);
  };
  option(CURLOPT_URL, request.url.c_str());
  if (form.empty()) {
    option(CURLOPT_HTTPGET, 1L);
  } else {
    option(CURLOPT_POSTFIELDSIZE, static_cast<long>(form.size()));
    option(CURLOPT_COPYPOSTFIELDS, form.c_str());
  }
  const bool has_user = !request.user.empty();
  option(CURLOPT_USERNAME, has_user ? request.user.c_str() : nullptr);
  option(CURLOPT_PASSWORD, has_user ? request.password.c_str() : nullptr);
  option(CURLOPT_WRITEDATA, static_cast<void*>(&body));
  handle_->error[0] = '\0';
  if (result == CURLE_OK) result = curl_easy_perform(curl);
  if (body.is_too_long) {
    return absl::ResourceExhaustedError(fmt::format("is longer than {} bytes", options_.max_bytes));
  }
  if (result != CURLE_OK) {
    const char* const why = handle_->error[0] == '\0' ? curl_easy_strerror(result) : handle_->error;
    return absl::UnavailableError(fmt::format("can't be fetched: {}", why));
  }
  HttpsResponse response{.body = std::move(body.bytes)};
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  return response;
}

}  // namespace ridestream::identity
