#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ridestream/location/v1/location.pb.h"
#include "services/location/domain/location_index.h"
#include "tests/sim/call.h"
#include "tests/sim/link.h"

namespace ridestream::sim {

/// A life of the location service: the real index, and what the gRPC shell does around it. It may
/// fall behind with what is reported, or say nothing for a while. Not thread-safe.
class LocationProcess {
 public:
  LocationProcess(Context& context, Host& host);

  /// A stream of ReportPositions; its batches come to TakeBatch.
  void ReportPositions(std::shared_ptr<Link> link);
  void TakeBatch(const location::v1::ReportPositionsRequest& batch);
  void FindNearest(const location::v1::FindNearestRequest& request,
                   const Reply<location::v1::FindNearestResponse>& reply);

  /// Batches wait until then, so the index grows stale.
  void FallBehind(Duration duration);
  /// Questions that come until then get no answer.
  void FallSilent(Duration duration);

 private:
  void Apply(const location::v1::ReportPositionsRequest& batch);
  void Check(const location::NearestQuery& query, const location::NearbyDrivers& answer);

  Context& context_;
  Host& host_;
  location::LocationIndex index_;
  Time behind_until_{};
  Time silent_until_{};
  std::vector<location::v1::ReportPositionsRequest> waiting_;
};

}  // namespace ridestream::sim
