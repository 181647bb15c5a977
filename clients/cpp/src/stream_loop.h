#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "clients/cpp/src/channel.h"
#include "google/protobuf/message.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"

namespace ridestream::client {

/// One thread's streams, one after the other, each on a connection of its own. Messages are bytes,
/// so that one that can't be parsed is distinguished from an end. Only the thread calls it, except
/// for Wake().
class StreamLoop {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Event {
    kMessage,  // In message().
    kSent,     // CanSend() is true again.
    kClosed,   // By the service, or by the connection; status() says why.
    kWoken,
    kTimeout,
  };

  StreamLoop();
  /// Cuts.
  ~StreamLoop();
  StreamLoop(const StreamLoop&) = delete;
  StreamLoop& operator=(const StreamLoop&) = delete;

  /// Cuts the stream before it.
  void Open(std::shared_ptr<grpc::Channel> channel, const std::string& method, const Proof& proof,
            const std::string& market);
  /// Whether there is a stream, and it takes a message.
  bool CanSend() const;
  void Send(const google::protobuf::Message& message);
  /// The same, and ends this side of the stream.
  void SendLast(const google::protobuf::Message& message);
  /// Ends the stream at once, if there is one. No event of it follows.
  void Cut();

  /// The next event, or kTimeout at `deadline`.
  Event Next(Time deadline);
  /// Parses the last message. False: it can't be parsed.
  bool Parse(google::protobuf::Message& message) const;
  const absl::Status& status() const { return status_; }

  /// Next() returns kWoken, now or when it is called next. Thread-safe.
  void Wake() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  /// What the completion queue names as done.
  enum class Tag : std::uintptr_t { kStarted = 1, kRead, kSent, kFinished, kWoken };
  struct Stream;

  static void* ToPointer(Tag tag);
  void Write(const google::protobuf::Message& message, grpc::WriteOptions options);
  void Read();
  void Finish();
  std::optional<Event> OnDone(Tag tag, bool ok);

  grpc::CompletionQueue queue_;
  std::unique_ptr<Stream> stream_;
  grpc::ByteBuffer message_;
  absl::Status status_;
  bool is_woken_ = false;  // While a stream was being cut.
  absl::Mutex mu_;
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mu_);  // Set until kWoken is returned.
};

}  // namespace ridestream::client
