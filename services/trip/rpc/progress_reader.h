#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/mutex.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::trip {

/// One ReportProgress stream. Shared: the feed holds it, and gRPC (`self_`) until OnDone. It is
/// raw, i.e. parses what it reads itself: gRPC doesn't tell a message that can't be parsed from a
/// reporter who half-closed. Thread-safe.
class ProgressReader final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  static constexpr int kMaxEntries = 4096;

  struct Options {
    grpc::ByteBuffer* response;
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
  grpc::ByteBuffer read_;  // gRPC writes it, OnReadDone reads it, in turns.
  v1::ReportProgressRequest report_;
  Mutex mu_;
  v1::ReportProgressResponse response_ ABSL_GUARDED_BY(mu_);
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<ProgressReader> self_;
};

}  // namespace ridestream::trip
