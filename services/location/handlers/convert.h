#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/location/domain/area_view.h"
#include "services/location/domain/position.h"

/// Between the API's messages and the domain. What a message may hold is checked here, and only
/// here; INVALID_ARGUMENT names the field.
namespace ridestream::location {

inline constexpr int kMaxPositionsPerBatch = 4'096;
inline constexpr int kMaxQueriesPerCall = 1'000;
inline constexpr std::uint32_t kMaxLimit = 1'000;
inline constexpr std::uint32_t kMaxRadiusM = 50'000;

/// What a viewer asks for.
struct WatchedArea {
  std::string market;
  Area area;
  /// Wall time.
  std::chrono::milliseconds interval;
};

/// Checks the batch as a whole and puts its positions into `reports`, which view into `batch`.
/// Whether a single position can be used is the index's to say.
absl::Status ToReports(const v1::ReportPositionsRequest& batch,
                       std::vector<PositionReport>& reports);
absl::StatusOr<std::vector<NearestQuery>> ToQueries(const v1::FindNearestRequest& request);
absl::StatusOr<WatchedArea> ToWatchedArea(const v1::WatchAreaRequest& request);

void ToProto(const NearbyDriver& driver, v1::NearbyDriver& message);
v1::WatchAreaResponse ToProto(const AreaFrame& frame);

}  // namespace ridestream::location
