#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/sharded_counter.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/proof_watch.h"
#include "libs/service/markets.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/location/domain/location_index.h"
#include "services/location/rpc/area_viewers.h"
#include "services/location/rpc/position_reader.h"

namespace ridestream::location {

/// The drivers that all answers of one FindNearest hold at most: about 3 MB, what a client reads by
/// default.
inline constexpr size_t kMaxDriversPerCall = 50'000;

struct LocationServiceOptions {
  IndexOptions index;
  /// Whose positions are held; by default, of any market that reports.
  service::ServedMarkets markets = {};
  /// WatchArea streams at a time.
  size_t max_viewers = 100;
  /// Told of each batch of positions that was applied, on gRPC's threads; may be null.
  PositionReader::OnBatch on_batch = nullptr;
};

/// ridestream.location.v1.LocationService. Handlers check, ask the index and turn the status.
/// Thread-safe. `clock` and `authenticator` outlive it; it outlives the server it is put into.
class LocationService final : public v1::LocationService::WithRawCallbackMethod_ReportPositions<
                                  v1::LocationService::CallbackService> {
 public:
  LocationService(const LocationServiceOptions& options, const Clock& clock,
                  const rpc::Authenticator& authenticator);

  const LocationIndex& index() const { return index_; }
  /// Questions that FindNearest was asked so far; a call asks many.
  std::uint64_t queries() const { return queries_.value(); }

  /// For ServerOptions::on_drain: closes all streams with UNAVAILABLE, and opens no more.
  void Drain();

  grpc::ServerReadReactor<grpc::ByteBuffer>* ReportPositions(grpc::CallbackServerContext* context,
                                                             grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const v1::FindNearestRequest* request,
                                        v1::FindNearestResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchAreaResponse>* WatchArea(
      grpc::CallbackServerContext* context, const v1::WatchAreaRequest* request) override;
  grpc::ServerUnaryReactor* GetIndexStats(grpc::CallbackServerContext* context,
                                          const v1::GetIndexStatsRequest* request,
                                          v1::GetIndexStatsResponse* response) override;

 private:
  absl::Status AddReporter(const grpc::CallbackServerContext& context,
                           const std::shared_ptr<PositionReader>& stream);
  void RemoveReporter(PositionReader* stream);
  absl::StatusOr<std::shared_ptr<AreaViewers::Stream>> OpenView(
      const grpc::CallbackServerContext& context, const v1::WatchAreaRequest& request);
  absl::Status Answer(const grpc::CallbackServerContext& context,
                      const v1::FindNearestRequest& request, v1::FindNearestResponse& response);

  const Clock& clock_;
  const service::ServedMarkets markets_;
  const rpc::CallGuard guard_;
  rpc::ProofWatch proofs_;
  const PositionReader::OnBatch on_batch_;
  LocationIndex index_;
  AreaViewers viewers_;
  ShardedCounter queries_;
  Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_map<PositionReader*, std::shared_ptr<PositionReader>> reporters_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::location
