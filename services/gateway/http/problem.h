#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// An error for programs and people: application/problem+json (RFC 9457) with the gRPC code in the
/// member `code`. The header also has grpc-status and grpc-message, for clients that use gRPC-Web.
Response Problem(int http_status, absl::StatusCode code, std::string_view detail);

/// The same for the status of a call. Its code determines the HTTP status.
Response Problem(const absl::Status& status);

/// 405, for a request whose path accepts only the method `allow`.
Response WrongMethod(const Request& request, const std::string& allow);

/// The HTTP status for a gRPC code, by the table that google.rpc.Code documents.
int HttpStatus(absl::StatusCode code);

/// The name of a code, such as "NOT_FOUND".
std::string_view CodeName(absl::StatusCode code);

/// Shortens the text of an error to 1 KiB and escapes it by EscapeForbidden. Every error text that
/// leaves the gateway passes through this function, because a part of it may come from the peer,
/// with any length and any bytes, and because it is also sent in a header.
std::string ProblemText(std::string_view text);

/// The value of grpc-message: ProblemText, in which '%' and bytes outside of printable ASCII are
/// written as %XX.
std::string GrpcMessage(std::string_view text);

}  // namespace ridestream::gateway
