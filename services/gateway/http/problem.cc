#include "services/gateway/http/problem.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "libs/base/utf8.h"
#include "libs/base/validation.h"

namespace ridestream::gateway {
namespace {

constexpr std::size_t kMaxTextBytes = 1 << 10;

}  // namespace

Response Problem(int http_status, absl::StatusCode code, std::string_view detail) {
  const nlohmann::ordered_json body = {{"type", "about:blank"},
                                       {"title", CodeName(code)},
                                       {"status", http_status},
                                       {"detail", ProblemText(detail)},
                                       {"code", CodeName(code)}};
  // The peer gets its response even if its own bytes in it aren't UTF-8.
  return {.status = http_status,
          .headers = {{"content-type", "application/problem+json"},
                      {"cache-control", "no-store"},
                      {"grpc-status", std::to_string(static_cast<int>(code))},
                      {"grpc-message", GrpcMessage(detail)}},
          .body = Share(body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n")};
}

Response Problem(const absl::Status& status) {
  return Problem(HttpStatus(status.code()), status.code(),
                 {status.message().data(), status.message().size()});
}

Response WrongMethod(const Request& request, const std::string& allow) {
  Response response =
      Problem(405, absl::StatusCode::kUnimplemented,
              fmt::format("{} takes {}, not {}", request.path, allow, request.method));
  response.headers.Add("allow", allow);
  return response;
}

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

std::string_view CodeName(absl::StatusCode code) {
  constexpr std::string_view kNames[] = {"OK",
                                         "CANCELLED",
                                         "UNKNOWN",
                                         "INVALID_ARGUMENT",
                                         "DEADLINE_EXCEEDED",
                                         "NOT_FOUND",
                                         "ALREADY_EXISTS",
                                         "PERMISSION_DENIED",
                                         "RESOURCE_EXHAUSTED",
                                         "FAILED_PRECONDITION",
                                         "ABORTED",
                                         "OUT_OF_RANGE",
                                         "UNIMPLEMENTED",
                                         "INTERNAL",
                                         "UNAVAILABLE",
                                         "DATA_LOSS",
                                         "UNAUTHENTICATED"};
  const auto index = static_cast<std::size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

std::string ProblemText(std::string_view text) {
  // Shortened before, so that a long text costs little, and after, because escapes are longer.
  const std::string escaped = EscapeForbidden(Utf8Prefix(text, kMaxTextBytes));
  return std::string(Utf8Prefix(escaped, kMaxTextBytes));
}

std::string GrpcMessage(std::string_view text) {
  std::string encoded;
  for (const char c : ProblemText(text)) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace ridestream::gateway
