#include "services/location/handlers/area_viewers.h"

#include <fmt/format.h>

#include <vector>

#include "libs/rpc/retry_after.h"

namespace ridestream::location {
namespace {

constexpr std::chrono::milliseconds kRetryWhenFull{1'000};

}  // namespace

absl::StatusOr<std::shared_ptr<AreaViewers::Stream>> AreaViewers::Open(WatchedArea watched,
                                                                       Writer& writer) {
  const std::chrono::milliseconds interval = watched.interval;
  auto viewer = std::make_shared<Viewer>(std::move(watched));
  std::uint64_t id = 0;
  {
    MutexLock lock(mu_);
    if (draining_) return absl::UnavailableError("location is shutting down");
    if (viewers_.size() >= max_viewers_) {
      return rpc::WithRetryAfter(absl::ResourceExhaustedError(fmt::format(
                                     "{} viewers are watching, the limit", max_viewers_)),
                                 kRetryWhenFull);
    }
    id = ++last_viewer_id_;
    Stream::Options options{
        .on_done = [this, id] { Forget(id); },
        .on_drained = [this, id, interval] { SendFrameAfter(id, interval); },
    };
    viewer->stream = std::make_shared<Stream>(writer, std::move(options));
    viewers_.emplace(id, Entry{viewer});
  }
  SendFrameAfter(id, std::chrono::milliseconds(0));
  return viewer->stream;
}

void AreaViewers::SendFrameAfter(std::uint64_t viewer_id, std::chrono::milliseconds pause) {
  MutexLock lock(mu_);
  const auto found = viewers_.find(viewer_id);
  if (found == viewers_.end()) return;
  found->second.timer = timers_.After(pause, [this, viewer_id] { SendFrame(viewer_id); });
}

void AreaViewers::SendFrame(std::uint64_t viewer_id) {
  std::shared_ptr<Viewer> viewer;
  {
    MutexLock lock(mu_);
    const auto found = viewers_.find(viewer_id);
    if (found == viewers_.end()) return;  // It has left meanwhile.
    viewer = found->second.viewer;
  }
  viewer->stream->Replace(
      ToProto(index_.NextFrame(viewer->watched.market, viewer->view, clock_.Now())));
}

void AreaViewers::Forget(std::uint64_t viewer_id) {
  TimerPort::Handle timer = 0;
  {
    MutexLock lock(mu_);
    const auto found = viewers_.find(viewer_id);
    if (found == viewers_.end()) return;
    timer = found->second.timer;
    viewers_.erase(found);
  }
  timers_.Cancel(timer);  // Waits for its frame, if one is being made.
}

void AreaViewers::Drain() {
  std::vector<std::shared_ptr<Stream>> streams;
  {
    MutexLock lock(mu_);
    draining_ = true;
    for (const auto& [id, entry] : viewers_) streams.push_back(entry.viewer->stream);
  }
  for (const auto& stream : streams) {
    stream->Close(absl::UnavailableError("location is shutting down; open the stream again"));
  }
}

}  // namespace ridestream::location
