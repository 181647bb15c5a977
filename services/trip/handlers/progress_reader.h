#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// The seam to the transport of one ReportProgress stream. It calls its ProgressReader: OnRead or
/// OnReadsEnded after each StartRead, OnCancelled when the reporter has gone, and at last OnDone;
/// never from within StartRead or Finish, which are called under the reader's lock.
class ProgressStream {
 public:
  virtual void StartRead() = 0;
  /// Ends the stream, once. OnDone follows.
  virtual void Finish(const absl::Status& status, const v1::ReportProgressResponse& response) = 0;

 protected:
  ~ProgressStream() = default;
};

/// One ReportProgress stream. Shared by the feed and the transport, until OnDone. Thread-safe.
class ProgressReader {
 public:
  static constexpr int kMaxEntries = 4096;

  struct Options {
    /// Must outlive the reader's end, i.e. its call of OnDone.
    ProgressStream& stream;
    /// Takes a valid report, on a thread of the transport's.
    std::function<void(const v1::ReportProgressRequest&)> on_report;
    /// Called once when the transport has let go of the stream.
    std::function<void(ProgressReader*)> on_done;
  };

  explicit ProgressReader(Options options) : options_(std::move(options)) {}
  void Begin();
  void Close(const absl::Status& status);

  // For the transport.

  void OnRead(const v1::ReportProgressRequest& report);
  void OnReadsEnded() { Close(absl::OkStatus()); }
  void OnCancelled() { Close(absl::CancelledError()); }
  void OnDone() { options_.on_done(this); }

 private:
  const Options options_;
  Mutex mu_;
  v1::ReportProgressResponse response_ ABSL_GUARDED_BY(mu_);
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::trip
