#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libs/base/mutex.h"
#include "services/dispatch/drive/session_registry.h"

namespace ridestream::dispatch {

/// A call of Drive without a network: the transport of a stream, and the driver on its other end,
/// who takes a message when the test says so. Checks that the stream keeps to the port's rules.
/// Thread-safe.
class FakeCall final : public DuplexStream {
 public:
  absl::Status Open(SessionRegistry& registry, const std::string& driver,
                    const std::string& address = "ipv4:192.0.2.1") {
    auto stream = registry.Open(*this, DriverId(driver), {address, /*is_local=*/false});
    if (stream.ok()) stream_ = *std::move(stream);
    return stream.status();
  }

  // The driver.

  bool Send(const v1::DriveRequest& request) { return stream_->OnRead(request); }
  bool SendHello(const std::string& market = "city") {
    v1::DriveRequest request;
    request.mutable_hello()->set_market(market);
    request.mutable_hello()->set_seats(4);
    return Send(request);
  }
  bool SendPosition(std::uint64_t sequence) {
    v1::DriveRequest request;
    request.mutable_position()->set_sequence(sequence);
    request.mutable_position()->set_lat_e7(450'000'000);
    return Send(request);
  }
  /// What is being written, which is taken with that; the stream may go on. Null: nothing.
  std::optional<v1::DriveResponse> Take() {
    std::optional<v1::DriveResponse> taken;
    {
      MutexLock lock(mu_);
      taken = std::exchange(in_flight_, std::nullopt);
    }
    if (taken) stream_->OnWritten(true);
    return taken;
  }
  /// The connection is gone.
  void Break() {
    bool was_writing = false;
    {
      MutexLock lock(mu_);
      was_writing = std::exchange(in_flight_, std::nullopt).has_value();
    }
    stream_->OnCancelled();
    if (was_writing) stream_->OnWritten(false);
  }

  // What the stream did.

  bool writing() const {
    MutexLock lock(mu_);
    return in_flight_.has_value();
  }
  bool cancelled() const {
    MutexLock lock(mu_);
    return cancelled_;
  }
  /// How it was finished, if it was.
  std::optional<absl::Status> finished() const {
    MutexLock lock(mu_);
    return finished_;
  }
  /// The transport is done with it; only after it was finished.
  void Done() {
    const std::shared_ptr<DriveStream> stream = std::exchange(stream_, nullptr);
    const absl::Status status = stream->OnDone();
    EXPECT_EQ(status, finished());
  }
  DriveStream& stream() { return *stream_; }

  void Write(const v1::DriveResponse& message) override {
    MutexLock lock(mu_);
    EXPECT_FALSE(in_flight_) << "two writes at once";
    EXPECT_FALSE(finished_) << "a write behind the end";
    in_flight_ = message;
  }
  void Finish(const absl::Status& status) override {
    MutexLock lock(mu_);
    EXPECT_FALSE(in_flight_) << "finished during a write";
    EXPECT_FALSE(finished_) << "finished twice";
    // A copy of its own: abseil's counter of references is unknown to ThreadSanitizer.
    finished_.emplace(status.code(), status.message());
    status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
      finished_->SetPayload(type, payload);
    });
  }
  void Cancel() override {
    MutexLock lock(mu_);
    EXPECT_FALSE(finished_) << "cancelled behind the end";
    cancelled_ = true;
  }

 private:
  std::shared_ptr<DriveStream> stream_;
  mutable Mutex mu_;
  std::optional<v1::DriveResponse> in_flight_ ABSL_GUARDED_BY(mu_);
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> finished_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::dispatch
