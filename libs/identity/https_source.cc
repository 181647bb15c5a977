#include "libs/identity/https_source.h"

#include <fmt/format.h>

#include <utility>

namespace ridestream::identity {

absl::StatusOr<std::unique_ptr<HttpsSource>> HttpsSource::Make(Options options) {
  if (!IsHttpsUrl(options.url)) {
    return absl::InvalidArgumentError(fmt::format("{}: is not an https URL", options.url));
  }
  auto client = HttpsClient::Make({.authorities = std::move(options.authorities),
                                   .max_bytes = options.max_bytes,
                                   .timeout = options.timeout});
  if (!client.ok()) return client.status();
  return std::unique_ptr<HttpsSource>(new HttpsSource(std::move(options.url), *std::move(client)));
}

absl::StatusOr<std::string> HttpsSource::Fetch() {
  auto response = client_->Send({.url = url_});
  if (!response.ok()) return response.status();
  if (response->status != 200) {
    return absl::UnavailableError(fmt::format("answers with the status {}", response->status));
  }
  return std::move(response->body);
}

}  // namespace ridestream::identity
