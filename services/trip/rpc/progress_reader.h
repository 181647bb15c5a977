#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// One ReportProgress stream. Shared: the feed holds it, and gRPC (`self_`) until OnDone.
/// Thread-safe.
class ProgressReader final : public grpc::ServerReadReactor<v1::ReportProgressRequest> {
 public:
  static constexpr int kMaxEntries = 4096;

  struct Options {
    v1::ReportProgressResponse* response;
    /// Takes a valid report, on a thread of gRPC's.
    std::function<void(const v1::ReportProgressRequest&)> on_report;
    /// Called once when gRPC has let go of the stream.
    std::function<void(ProgressReader*)> on_done;
  };

  static std::shared_ptr<ProgressReader> Make(Options options);
  void Begin();
  void Close(const absl::Status& status);

  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  explicit ProgressReader(Options options) : options_(std::move(options)) {}

  const Options options_;
  v1::ReportProgressRequest report_;  // gRPC writes it, OnReadDone reads it, in turns.
  Mutex mu_;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<ProgressReader> self_;
};

}  // namespace ridestream::trip
