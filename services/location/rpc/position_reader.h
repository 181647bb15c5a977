#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/service/markets.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/location/domain/location_index.h"

namespace ridestream::location {

/// The server's side of one ReportPositions: read a batch, apply it, read the next. A reporter that
/// sends faster than the index takes is slowed down by gRPC's flow control; nothing queues here.
///
/// Shared: the service holds it to close it on a drain, gRPC until OnDone. Parses into one message
/// all the time, so its strings are allocated once. It is raw, i.e. parses what it reads itself:
/// gRPC doesn't tell a message that can't be parsed from a reporter who half-closed. Close is
/// thread-safe.
class PositionReader final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  /// So many positions were applied within so long.
  using OnBatch = std::function<void(size_t positions, std::chrono::nanoseconds took)>;

  /// Reads nothing until ReadNext; a caller that may not report is closed before. `on_done` is
  /// called once, on a thread of gRPC's, and lets go of the service's reference. The handler
  /// returns the raw pointer to gRPC.
  static std::shared_ptr<PositionReader> Make(LocationIndex& index, const Clock& clock,
                                              const service::ServedMarkets& markets,
                                              grpc::ByteBuffer& response, const OnBatch& on_batch,
                                              std::function<void(PositionReader*)> on_done);

  /// Reads the next batch, unless the stream is closed.
  void ReadNext();
  /// Ends the stream; only the first call counts. An OK status comes with the counts so far.
  void Close(const grpc::Status& status);

  void OnReadDone(bool ok) override;
  void OnCancel() override { Close(grpc::Status::CANCELLED); }
  void OnDone() override;

 private:
  PositionReader(LocationIndex& index, const Clock& clock, const service::ServedMarkets& markets,
                 grpc::ByteBuffer& response, const OnBatch& on_batch,
                 std::function<void(PositionReader*)> on_done);

  bool IsFinished();
  absl::Status ApplyBatch();

  LocationIndex& index_;
  const Clock& clock_;
  const service::ServedMarkets& markets_;
  const OnBatch& on_batch_;  // The service's.
  const std::function<void(PositionReader*)> on_done_;
  // One read is under way at a time, so only one thread is at these three.
  grpc::ByteBuffer read_;
  v1::ReportPositionsRequest batch_;
  std::vector<PositionReport> reports_;

  Mutex mu_;
  grpc::ByteBuffer& response_ ABSL_GUARDED_BY(mu_);
  ApplyCounts counts_ ABSL_GUARDED_BY(mu_);
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<PositionReader> self_;
};

}  // namespace ridestream::location
