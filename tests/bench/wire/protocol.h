#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/wire/application.h"

namespace ridestream::bench::wire {

/// One client with its own connection, which opens at the first call. Used by one thread at a time.
/// Tasks that the protocol can't express are UNIMPLEMENTED.
class Client {
 public:
  virtual ~Client() = default;
  /// Sends positions, the last of which has a sequence divisible by kWindow. Returns when the
  /// server has acked that position.
  virtual absl::Status Report(std::span<const Position> positions) = 0;
  virtual absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& request) = 0;
  /// Returns when the server knows that this client waits for offers; without push, after one
  /// answered poll.
  virtual absl::Status Subscribe() = 0;
  /// The next push, or the answer to one poll, which may have no offer. Called after Subscribe.
  virtual absl::StatusOr<DriveResponse> NextOffer() = 0;

  /// Bytes of the messages sent and received so far: of protobuf, JSON or XML documents, without
  /// any framing or header.
  std::size_t message_bytes() const { return message_bytes_; }

 protected:
  std::size_t message_bytes_ = 0;
};

struct Protocol {
  std::string key, title;
  bool has_calls;  ///< It can carry positions and quotes.
  bool has_push;   ///< It can carry offers without a poll.
  /// Serves on a free port of loopback, which is passed to `serving`, until the process ends.
  /// Returns only errors.
  std::function<absl::Status(Application&, const std::function<void(int port)>& serving)> serve;
  std::function<absl::StatusOr<std::unique_ptr<Client>>(int port)> connect;
  /// Files in this folder that a developer writes by hand for the protocol; contracts are counted
  /// separately.
  std::vector<std::string> sources, contracts;
};

Protocol GrpcUnary();
Protocol GrpcStreaming();
Protocol GrpcWeb();
Protocol Rest();
Protocol RestByHand();
Protocol ServerSentEvents();
Protocol WebSocket();
Protocol Soap();

}  // namespace ridestream::bench::wire
