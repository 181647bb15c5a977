#include "services/location/handlers/location_handlers.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "libs/base/validation.h"
#include "services/location/handlers/convert.h"

namespace ridestream::location {

/// Reused from batch to batch, which saves allocations.
class LocationHandlers::BatchApplier {
 public:
  explicit BatchApplier(LocationHandlers& handlers) : handlers_(handlers) {}

  absl::StatusOr<v1::ReportPositionsResponse> operator()(const v1::ReportPositionsRequest& batch) {
    const Options& options = handlers_.options_;
    const auto began = std::chrono::steady_clock::now();
    if (absl::Status status = ToReports(batch, reports_); !status.ok()) return status;
    if (absl::Status status = handlers_.CheckServed(batch.market()); !status.ok()) return status;
    counts_ += handlers_.index_.Apply(batch.market(), reports_, options.clock.Now());
    if (options.on_batch) {
      options.on_batch(reports_.size(), std::chrono::steady_clock::now() - began);
    }
    v1::ReportPositionsResponse response;
    response.set_applied(counts_.applied);
    response.set_superseded(counts_.superseded);
    response.set_rejected(counts_.rejected);
    return response;
  }

 private:
  LocationHandlers& handlers_;
  std::vector<PositionReport> reports_;
  ApplyCounts counts_;  // Sums over the stream.
};

LocationHandlers::LocationHandlers(Options options)
    : options_(std::move(options)),
      index_(options_.config.index),
      viewers_(index_, options_.clock, options_.timers, options_.config.max_viewers) {}

absl::StatusOr<std::shared_ptr<LocationHandlers::PositionReader>> LocationHandlers::ReportPositions(
    streams::StreamReader<v1::ReportPositionsResponse>& reader) {
  PositionReader::Options stream_options{.on_message = BatchApplier(*this),
                                         .on_done = [this](PositionReader* ended) {
                                           MutexLock lock(mu_);
                                           reporters_.erase(ended);
                                         }};
  const auto stream = std::make_shared<PositionReader>(reader, std::move(stream_options));
  {
    MutexLock lock(mu_);
    if (draining_) return absl::UnavailableError("location is shutting down");
    reporters_.emplace(stream.get(), stream);
  }
  stream->Begin();
  return stream;
}

absl::StatusOr<v1::FindNearestResponse> LocationHandlers::FindNearest(
    const Call& call, const v1::FindNearestRequest& request) {
  const absl::StatusOr<std::vector<NearestQuery>> queries = ToQueries(request);
  if (!queries.ok()) return queries.status();
  if (absl::Status status = CheckServed(request.market()); !status.ok()) return status;
  queries_.Add(queries->size());
  const Time now = options_.clock.Now();
  v1::FindNearestResponse response;
  size_t drivers = 0;
  for (size_t at = 0; at < queries->size(); at += LocationIndex::kQueriesPerLock) {
    if (call.is_cancelled && call.is_cancelled()) {
      return absl::CancelledError("the caller cancelled");
    }
    const auto portion = std::span(*queries).subspan(
        at, std::min(LocationIndex::kQueriesPerLock, queries->size() - at));
    for (const NearbyDrivers& found : index_.FindNearest(request.market(), portion, now)) {
      drivers += found.size();
      if (drivers > kMaxDriversPerCall) {
        return absl::ResourceExhaustedError(
            fmt::format("queries: the answers hold more than {} drivers; send fewer queries in a "
                        "call, or lower their limits",
                        kMaxDriversPerCall));
      }
      auto& message = *response.add_results()->mutable_drivers();
      message.Reserve(static_cast<int>(found.size()));
      for (const NearbyDriver& driver : found) ToProto(driver, *message.Add());
    }
  }
  return response;
}

absl::StatusOr<v1::GetIndexStatsResponse> LocationHandlers::GetIndexStats(
    const v1::GetIndexStatsRequest& request) const {
  if (absl::Status status = ValidateId(request.market(), "market"); !status.ok()) return status;
  if (absl::Status status = CheckServed(request.market()); !status.ok()) return status;
  const LocationIndex::Stats stats = index_.GetStats(request.market());
  v1::GetIndexStatsResponse response;
  response.set_drivers(stats.drivers);
  response.set_applied(stats.positions.applied);
  response.set_superseded(stats.positions.superseded);
  response.set_rejected(stats.positions.rejected);
  return response;
}

absl::StatusOr<std::shared_ptr<AreaViewers::Stream>> LocationHandlers::WatchArea(
    const v1::WatchAreaRequest& request, AreaViewers::Writer& writer) {
  absl::StatusOr<WatchedArea> watched = ToWatchedArea(request);
  if (!watched.ok()) return watched.status();
  if (absl::Status status = CheckServed(request.market()); !status.ok()) return status;
  return viewers_.Open(*std::move(watched), writer);
}

void LocationHandlers::Drain() {
  std::vector<std::shared_ptr<PositionReader>> reporters;
  {
    MutexLock lock(mu_);
    draining_ = true;
    for (const auto& [raw, stream] : reporters_) reporters.push_back(stream);
  }
  for (const auto& stream : reporters) {
    stream->Close(absl::UnavailableError("location is shutting down; open the stream again"));
  }
  viewers_.Drain();
}

}  // namespace ridestream::location
