#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "ridestream/location/v1/location.pb.h"
#include "services/location/handlers/location_handlers.h"
#include "tests/sim/call.h"
#include "tests/sim/link.h"
#include "tests/sim/server_call.h"
#include "tests/sim/sim_timers.h"

namespace ridestream::sim {

/// A life of the location service: the product's handlers over simulated calls. It may fall behind
/// with reports, or be silent for some time. Its answers are checked. Not thread-safe.
class LocationProcess {
 public:
  using Batch = location::v1::ReportPositionsRequest;

  LocationProcess(Context& context, Host& host);

  Take<Batch> ReportPositions(std::shared_ptr<Link> link);
  void FindNearest(const location::v1::FindNearestRequest& request,
                   const Reply<location::v1::FindNearestResponse>& reply);

  /// Batches wait for that long, so the index grows stale.
  void FallBehind(Duration duration);
  /// Requests get no answer for that long.
  void FallSilent(Duration duration);

 private:
  using Reporter = ServerReadCall<Batch, location::v1::ReportPositionsResponse>;

  void OnBatch(const std::weak_ptr<Reporter>& reporter, const Batch& batch);
  void Read(const std::weak_ptr<Reporter>& reporter, const Batch& batch);
  void Check(const location::v1::FindNearestRequest& request,
             const location::v1::FindNearestResponse& response);
  void Check(const location::v1::NearestQuery& query, const location::v1::NearestResult& answer);

  Context& context_;
  Host& host_;
  OpenCalls calls_;  // Outlives the calls' contents.
  SimTimers timers_;
  location::LocationHandlers handlers_;
  Time behind_until_{};
  Time silent_until_{};
  std::vector<std::pair<std::weak_ptr<Reporter>, Batch>> waiting_;
};

}  // namespace ridestream::sim
