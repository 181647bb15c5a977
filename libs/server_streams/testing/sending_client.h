#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/server_streams/pull_stream.h"

namespace ridestream::streams::testing {

/// The client of a client stream, and its transport: delivers the test's messages, one for each
/// read, on its own thread. Thread-safe.
template <class Request, class Response>
class SendingClient final : public StreamReader<Response> {
 public:
  using Stream = PullStream<Request, Response>;
  struct End {
    absl::Status status;
    Response response;
  };

  /// Waits until the stream has ended.
  ~SendingClient() {
    if (thread_.joinable()) thread_.join();
  }
  /// Sets the stream that reads from here. Call once.
  void Attach(std::shared_ptr<Stream> stream) {
    stream_ = std::move(stream);
    thread_ = std::thread([this] { Run(); });
  }

  void StartRead() override {
    MutexLock lock(mu_);
    reading_ = true;
    changed_.SignalAll();
  }
  void Finish(const absl::Status& status, const Response& response) override {
    MutexLock lock(mu_);
    end_ = End{status, response};
    changed_.SignalAll();
  }

  void Send(Request request) {
    MutexLock lock(mu_);
    unsent_.push_back(std::move(request));
    changed_.SignalAll();
  }
  /// Half-closes after the messages that were sent.
  void HalfClose() {
    MutexLock lock(mu_);
    half_closed_ = true;
    changed_.SignalAll();
  }
  void Cancel() { stream_->OnCancelled(); }
  End AwaitEnd() {
    MutexLock lock(mu_);
    while (!end_) changed_.Wait(mu_);
    return *end_;
  }

 private:
  void Run() {
    for (;;) {
      std::optional<Request> next;
      {
        MutexLock lock(mu_);
        while (!end_ && !(reading_ && (half_closed_ || !unsent_.empty()))) changed_.Wait(mu_);
        if (end_) break;
        reading_ = false;
        if (!unsent_.empty()) {
          next = std::move(unsent_.front());
          unsent_.pop_front();
        }
      }
      if (next) {
        stream_->OnRead(*next);
      } else {
        stream_->OnReadsEnded();
      }
    }
    stream_->OnDone();
  }

  std::shared_ptr<Stream> stream_;
  Mutex mu_;
  CondVar changed_;
  bool reading_ ABSL_GUARDED_BY(mu_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<Request> unsent_ ABSL_GUARDED_BY(mu_);
  std::optional<End> end_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace ridestream::streams::testing
