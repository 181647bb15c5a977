#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/gateway/call/call.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/rest/rest.h"

namespace ridestream::gateway {

/// What a reader of a stream of events comes back with.
struct Resume {
  /// Names the stream: its method and what was asked for.
  std::string stream;
  /// The id of the reader's last event; empty for a new reader.
  std::string after;
};

/// Reads `Last-Event-ID`. An event's id is the stream's name, a dash, and the position after it.
/// INVALID_ARGUMENT for an invalid id, or the id of another stream's event. A stream that can't be
/// resumed starts again.
absl::StatusOr<Resume> ReadLastEventId(const Routes::Found& found, const Request& request);

/// Answers with Server-Sent Events:
///   event: open      data: {"resumed": …}   the first: whether it goes on where the reader was
///   (no name)        data: a response       with an id, if the stream can be resumed
///   event: end       data: {}               the call ended well; don't come back
///   event: problem   data: a problem        it ended badly
/// An error before the first event is an HTTP error.
void ServeEvents(const Route& route, Resume resume, const RestOptions& options,
                 const CallOptions& call, std::string_view message,
                 const std::shared_ptr<Exchange>& exchange);

/// The answer to a call that failed, with the pause it asks for.
Response CallProblem(const absl::Status& status, const Headers& trailers);

/// What an answer of events begins with.
Response EventsHead();

}  // namespace ridestream::gateway
