#include "services/gateway/call/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "libs/base/validation.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/market.h"
#include "libs/rpc/request_id.h"

namespace ridestream::gateway {
namespace {

/// The only names that are forwarded to a service. A name that a peer chose must never reach gRPC,
/// which aborts the process for some names (`grpclb_client_stats`).
constexpr std::string_view kForwarded[] = {rpc::kCallerKey, rpc::kMarketKey, "authorization",
                                           "traceparent", "tracestate"};
/// Fields that name the caller. Two values of the same field are ambiguous.
constexpr std::string_view kCredentials[] = {rpc::kCallerKey, "authorization"};
/// Fields that this process reads itself. Two values of the same field are ambiguous.
constexpr std::string_view kReadOnce[] = {"content-type", "grpc-timeout", "idempotency-key",
                                          "last-event-id", rpc::kRequestIdKey};

/// Bound of all forwarded names and values, with 32 bytes for each pair, as HTTP/2 counts them.
/// Beyond rpc::kMaxMetadataBytes gRPC closes the whole connection with the streams of all callers;
/// the path and gRPC's own fields also count towards that limit.
constexpr std::size_t kMaxForwardedBytes = 4 << 10;
constexpr std::size_t kFieldOverhead = 32;

template <std::size_t N>
bool Contains(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsPrintable(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

absl::Status CheckOnce(const Headers& headers) {
  for (const std::string_view name : kReadOnce) {
    if (headers.Count(name) > 1) {
      return absl::InvalidArgumentError(fmt::format("header '{}': was sent more than once", name));
    }
  }
  return absl::OkStatus();
}

CallerClass ClassOf(std::string_view caller) {
  constexpr std::pair<std::string_view, CallerClass> kClasses[] = {
      {"rider/", CallerClass::kRider},
      {"driver/", CallerClass::kDriver},
      {"operator/", CallerClass::kOther},
      {"viewer/", CallerClass::kOther},
      {"service/", CallerClass::kOther}};
  for (const auto& [prefix, caller_class] : kClasses) {
    if (caller.starts_with(prefix)) return caller_class;
  }
  return CallerClass::kAnonymous;
}

}  // namespace

absl::StatusOr<Headers> MetadataFromHeaders(const Headers& headers) {
  Headers metadata;
  std::size_t bytes = 0;
  for (const auto& [field, value] : headers) {
    const std::string name = absl::AsciiStrToLower(field);
    if (!Contains(kForwarded, name)) continue;
    if (metadata.Has(name)) {
      const auto message = fmt::format("header '{}': was sent more than once", name);
      return Contains(kCredentials, name) ? absl::UnauthenticatedError(message)
                                          : absl::InvalidArgumentError(message);
    }
    if (!IsPrintable(value)) {
      return absl::InvalidArgumentError(
          fmt::format("header '{}': has bytes outside of printable ASCII", name));
    }
    bytes += name.size() + value.size() + kFieldOverhead;
    if (bytes > kMaxForwardedBytes) {
      return absl::InvalidArgumentError(fmt::format(
          "header '{}': the forwarded headers exceed {} bytes", name, kMaxForwardedBytes));
    }
    metadata.Add(name, value);
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
  if (absl::Status status = CheckOnce(headers); !status.ok()) return status;
  auto metadata = MetadataFromHeaders(headers);
  if (!metadata.ok()) return metadata.status();
  const auto timeout = TimeoutFromHeaders(headers);
  if (!timeout.ok()) return timeout.status();
  std::string request_id(headers.Get(rpc::kRequestIdKey));
  if (!IsId(request_id)) request_id = rpc::NewRequestId();
  const CallerClass caller_class = ClassOf(metadata->Get(rpc::kCallerKey));
  return CallOptions{.metadata = *std::move(metadata),
                     .timeout = *timeout,
                     .request_id = std::move(request_id),
                     .caller_class = caller_class};
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
