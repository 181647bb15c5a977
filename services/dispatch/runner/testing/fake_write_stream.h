#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "libs/base/mutex.h"
#include "libs/streams/stream_ports.h"

namespace ridestream::dispatch {

/// The other end of a client stream, without a network: takes a message when the test says so.
/// Outlives the streams. Thread-safe.
template <class Request>
class FakeWire {
 public:
  /// Opens streams on this; one after the other.
  auto Opener() {
    return [this](streams::WriteListener& listener) {
      MutexLock lock(mu_);
      listener_ = &listener;
      ++opened_;
      return std::make_unique<Stream>(*this);
    };
  }

  /// What is being written, which succeeds with that. Null: nothing.
  std::optional<Request> Take() {
    std::optional<Request> taken;
    streams::WriteListener* listener = nullptr;
    {
      MutexLock lock(mu_);
      taken = std::exchange(in_flight_, std::nullopt);
      listener = listener_;
    }
    if (taken) listener->OnWritten(true);
    return taken;
  }
  /// The stream breaks, which is noticed by the write under way.
  void Break() {
    streams::WriteListener* listener = nullptr;
    {
      MutexLock lock(mu_);
      in_flight_.reset();
      listener = listener_;
    }
    listener->OnWritten(false);
    listener->OnEnded(absl::UnavailableError("the connection is gone"));
  }
  int opened() const {
    MutexLock lock(mu_);
    return opened_;
  }

 private:
  class Stream final : public streams::WriteStream<Request> {
   public:
    explicit Stream(FakeWire& wire) : wire_(wire) {}
    void Write(const Request& request) override {
      MutexLock lock(wire_.mu_);
      wire_.in_flight_ = request;
    }

   private:
    FakeWire& wire_;
  };

  mutable Mutex mu_;
  streams::WriteListener* listener_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::optional<Request> in_flight_ ABSL_GUARDED_BY(mu_);
  int opened_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::dispatch
