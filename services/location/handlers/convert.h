#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/location/domain/area_view.h"
#include "services/location/domain/position.h"

/// Converts between the API's messages and the domain's types. Messages are validated here and
/// nowhere else; INVALID_ARGUMENT names the field.
namespace ridestream::location {

inline constexpr int kMaxPositionsPerBatch = 4'096;
inline constexpr int kMaxQueriesPerCall = 1'000;
inline constexpr std::uint32_t kMaxLimit = 1'000;
inline constexpr std::uint32_t kMaxRadiusM = 50'000;

/// A viewer's request: the area and how often to send a frame.
struct WatchedArea {
  std::string market;
  Area area;
  /// Between two frames, in wall-clock time.
  std::chrono::milliseconds interval;
};

/// Validates the batch as a whole and appends its positions to `reports`, whose ids point into
/// `batch`. The index decides whether a single position can be used.
absl::Status ToReports(const v1::ReportPositionsRequest& batch,
                       std::vector<PositionReport>& reports);
absl::StatusOr<std::vector<NearestQuery>> ToQueries(const v1::FindNearestRequest& request);
absl::StatusOr<WatchedArea> ToWatchedArea(const v1::WatchAreaRequest& request);

void ToProto(const NearbyDriver& driver, v1::NearbyDriver& message);
v1::WatchAreaResponse ToProto(const AreaFrame& frame);

}  // namespace ridestream::location
