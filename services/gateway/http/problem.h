#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// What went wrong, for a program and for people: application/problem+json (RFC 9457) with the
/// member `code`, which names the gRPC code. The header has it as well, as gRPC-Web does
/// (grpc-status, grpc-message), for such clients.
Response Problem(int http_status, absl::StatusCode code, std::string_view detail);

/// The same for a call's status, whose HTTP status follows from its code.
Response Problem(const absl::Status& status);

/// 405, for a request whose path takes only the method `allow`.
Response WrongMethod(const Request& request, const std::string& allow);

/// The HTTP status for a gRPC code, by the table that google.rpc.Code documents.
int HttpStatus(absl::StatusCode code);

/// "NOT_FOUND".
std::string_view CodeName(absl::StatusCode code);

/// A text that describes an error, of at most 1 KiB and with EscapeForbidden. Every such text that
/// leaves the gateway passes here: a part of it may be the peer's own, of any length and kind, and
/// it is also sent in a header.
std::string ProblemText(std::string_view text);

/// As grpc-message has it: ProblemText, with bytes outside of printable ASCII, and '%', as %XX.
std::string GrpcMessage(std::string_view text);

}  // namespace ridestream::gateway
