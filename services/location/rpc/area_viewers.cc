#include "services/location/rpc/area_viewers.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "libs/rpc/status.h"

namespace ridestream::location {
namespace {

constexpr std::chrono::milliseconds kRetryWhenFull{1'000};

}  // namespace

absl::StatusOr<std::shared_ptr<AreaViewers::Stream>> AreaViewers::Open(WatchedArea watched) {
  const std::chrono::milliseconds interval = watched.interval;
  auto viewer = std::make_shared<Viewer>(std::move(watched));
  std::uint64_t id = 0;
  {
    MutexLock lock(mu_);
    if (draining_) return absl::UnavailableError("location is shutting down");
    if (viewers_.size() >= max_viewers_) {
      return rpc::WithRetryAfter(
          absl::ResourceExhaustedError(
              fmt::format("{} viewers are watching, and no more are allowed", max_viewers_)),
          kRetryWhenFull);
    }
    id = ++last_viewer_id_;
    viewer->stream = Stream::Make({
        .on_done = [this, id] { Forget(id); },
        .on_drained = [this, id,
                       interval] { timers_.After(interval, [this, id] { SendFrame(id); }); },
    });
    viewers_.emplace(id, viewer);
  }
  timers_.After(std::chrono::nanoseconds(0), [this, id] { SendFrame(id); });
  return viewer->stream;
}

void AreaViewers::SendFrame(std::uint64_t viewer_id) {
  std::shared_ptr<Viewer> viewer;
  {
    MutexLock lock(mu_);
    const auto found = viewers_.find(viewer_id);
    if (found == viewers_.end()) return;  // It has left meanwhile.
    viewer = found->second;
  }
  viewer->stream->Replace(
      ToProto(index_.NextFrame(viewer->watched.market, viewer->view, clock_.Now())));
}

void AreaViewers::Forget(std::uint64_t viewer_id) {
  MutexLock lock(mu_);
  viewers_.erase(viewer_id);
}

void AreaViewers::Drain() {
  std::vector<std::shared_ptr<Stream>> streams;
  {
    MutexLock lock(mu_);
    draining_ = true;
    for (const auto& [id, viewer] : viewers_) streams.push_back(viewer->stream);
  }
  for (const auto& stream : streams) {
    stream->Close(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                               "location is shutting down; open the stream again"));
  }
}

}  // namespace ridestream::location
