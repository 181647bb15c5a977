#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/gateway/call/call.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/rest/rest.h"

namespace ridestream::gateway {

/// The position from which a reader continues a stream of events.
struct Resume {
  /// Identifies the stream: its method and its parameters.
  std::string stream;
  /// The id of the reader's last event; empty for a new reader.
  std::string after;
};

/// Reads `Last-Event-ID`. An event's id is the stream's name, a dash, and the position after the
/// event. INVALID_ARGUMENT for an invalid id, or for the id of another stream's event. A stream
/// that can't be resumed starts from the beginning.
absl::StatusOr<Resume> ReadLastEventId(const Routes::Found& found, const Request& request);

/// Answers with Server-Sent Events:
///   event: open      data: {"resumed": …}   the first event: whether the stream was resumed
///   (no name)        data: a response       with an id if the stream can be resumed
///   event: end       data: {}               the call ended with OK; don't reconnect
///   event: problem   data: a problem        the call failed
/// An error before the first event becomes an HTTP error response.
void ServeEvents(const Route& route, Resume resume, const RestOptions& options,
                 const CallOptions& call, std::string_view message,
                 const std::shared_ptr<Exchange>& exchange);

/// The response to a failed call, with the pause that the service asked for.
Response CallProblem(const absl::Status& status, const Headers& trailers);

/// The status and the headers of a response with events.
Response EventsHead();

}  // namespace ridestream::gateway
