#include "services/gateway/call/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/request_id.h"

namespace ridestream::gateway {
namespace {

constexpr std::string_view kStays[] = {"accept",
                                       "cache-control",
                                       "connection",
                                       "content-encoding",
                                       "content-length",
                                       "content-type",
                                       "cookie",
                                       "date",
                                       "dnt",
                                       "expect",
                                       "forwarded",
                                       "from",
                                       "host",
                                       "http2-settings",
                                       "idempotency-key",
                                       "if-match",
                                       "if-modified-since",
                                       "if-none-match",
                                       "keep-alive",
                                       "last-event-id",
                                       "origin",
                                       "pragma",
                                       "priority",
                                       "range",
                                       "referer",
                                       "te",
                                       "trailer",
                                       "transfer-encoding",
                                       "upgrade",
                                       "upgrade-insecure-requests",
                                       "user-agent",
                                       "via",
                                       "x-grpc-web",
                                       rpc::kRequestIdKey,
                                       "x-user-agent"};
constexpr std::string_view kStaysWithPrefix[] = {":", "accept-", "grpc-", "proxy-", "sec-"};

bool Stays(std::string_view name) {
  return std::find(std::begin(kStays), std::end(kStays), name) != std::end(kStays) ||
         std::any_of(std::begin(kStaysWithPrefix), std::end(kStaysWithPrefix),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

bool IsKey(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

bool IsPrintable(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::StatusOr<Headers> MetadataFromHeaders(const Headers& headers) {
  Headers metadata;
  for (const auto& [field, value] : headers) {
    const std::string name = absl::AsciiStrToLower(field);
    if (Stays(name)) continue;
    // gRPC would abort the process for what it can't carry.
    if (!IsKey(name)) {
      return absl::InvalidArgumentError(fmt::format("header '{}': can't be metadata", name));
    }
    if (name.ends_with("-bin")) {
      std::string bytes;
      if (!absl::Base64Unescape(value, &bytes)) {
        return absl::InvalidArgumentError(fmt::format("header '{}': is no base64", name));
      }
      metadata.AddRaw(name, std::move(bytes));
    } else if (IsPrintable(value)) {
      metadata.Add(name, value);
    } else {
      return absl::InvalidArgumentError(
          fmt::format("header '{}': has bytes outside of printable ASCII", name));
    }
  }
  return metadata;
}

Headers HeadersFromMetadata(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  Headers headers;
  for (const auto& [key, data] : metadata) {
    const std::string_view name(key.data(), key.size());
    const std::string_view value(data.data(), data.size());
    if (name.ends_with("-bin")) {
      headers.Add(name, absl::Base64Escape(Absl(value)));
    } else {
      headers.Add(name, value);
    }
  }
  return headers;
}

absl::StatusOr<CallOptions> CallOptionsFromHeaders(const Headers& headers) {
  auto metadata = MetadataFromHeaders(headers);
  if (!metadata.ok()) return metadata.status();
  const auto timeout = TimeoutFromHeaders(headers);
  if (!timeout.ok()) return timeout.status();
  std::string request_id(headers.Get(rpc::kRequestIdKey));
  if (!rpc::ValidateId(request_id, rpc::kRequestIdKey).ok()) request_id = rpc::NewRequestId();
  return CallOptions{
      .metadata = *std::move(metadata), .timeout = *timeout, .request_id = std::move(request_id)};
}

absl::StatusOr<std::optional<std::chrono::nanoseconds>> TimeoutFromHeaders(const Headers& headers) {
  constexpr std::string_view kName = "grpc-timeout";
  if (!headers.Has(kName)) return std::nullopt;
  const std::string_view text = headers.Get(kName);
  const std::string_view digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
  const bool are_digits = std::all_of(digits.begin(), digits.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!digits.empty() && digits.size() <= 8 && are_digits) {
    const std::int64_t count = std::stoll(std::string(digits));
    switch (text.back()) {
      case 'H':
        return std::chrono::hours(std::min<std::int64_t>(count, 24 * 365));
      case 'M':
        return std::chrono::minutes(count);
      case 'S':
        return std::chrono::seconds(count);
      case 'm':
        return std::chrono::milliseconds(count);
      case 'u':
        return std::chrono::microseconds(count);
      case 'n':
        return std::chrono::nanoseconds(count);
      default:
        break;
    }
  }
  return absl::InvalidArgumentError(
      fmt::format("grpc-timeout: must be 1 to 8 digits and one of HMSmun, is '{}'", text));
}

}  // namespace ridestream::gateway
