#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/server_streams/push_stream.h"

namespace ridestream::streams::testing {

/// The client of a server stream, and its transport: completes each write on its own thread, and
/// passes the written messages to the test. Thread-safe.
template <class Message>
class ReadingClient final : public StreamWriter<Message> {
 public:
  using Stream = PushStream<Message>;

  /// Waits until the stream has ended.
  ~ReadingClient() {
    if (thread_.joinable()) thread_.join();
  }
  /// Sets the stream that writes here. Call once.
  void Attach(std::shared_ptr<Stream> stream) {
    stream_ = std::move(stream);
    thread_ = std::thread([this] { Run(); });
  }

  void Write(const Message& message) override {
    MutexLock lock(mu_);
    written_.push_back(message);
    writing_ = true;
    changed_.SignalAll();
  }
  void Finish(const absl::Status& status) override {
    MutexLock lock(mu_);
    status_ = status;
    changed_.SignalAll();
  }

  /// Waits for at least `count` messages, and returns all messages so far.
  std::vector<Message> Await(size_t count) {
    MutexLock lock(mu_);
    while (written_.size() < count) changed_.Wait(mu_);
    return written_;
  }
  absl::Status AwaitEnd() {
    MutexLock lock(mu_);
    while (!status_) changed_.Wait(mu_);
    return *status_;
  }
  void Cancel() { stream_->OnCancelled(); }

 private:
  void Run() {
    for (;;) {
      {
        MutexLock lock(mu_);
        while (!writing_ && !status_) changed_.Wait(mu_);
        if (!writing_) break;
        writing_ = false;
      }
      stream_->OnWritten(true);
    }
    stream_->OnDone();
  }

  std::shared_ptr<Stream> stream_;
  Mutex mu_;
  CondVar changed_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Message> written_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> status_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace ridestream::streams::testing
