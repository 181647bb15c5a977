#include "libs/rpc/channel_pool.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "libs/base/mutex.h"

namespace ridestream::rpc {

/// Shared with the pointers that Take returned.
struct ChannelPool::State {
  struct Entry {
    std::shared_ptr<grpc::Channel> channel;
    int streams = 0;
  };

  State(MakeChannel make_in, Options options_in) : make(std::move(make_in)), options(options_in) {}

  const MakeChannel make;
  const Options options;
  Mutex mu;
  std::vector<Entry> entries ABSL_GUARDED_BY(mu);
};

ChannelPool::ChannelPool(MakeChannel make, Options options)
    : state_(std::make_shared<State>(std::move(make), options)) {}

std::shared_ptr<grpc::Channel> ChannelPool::Take() {
  MutexLock lock(state_->mu);
  auto& entries = state_->entries;
  const Options& options = state_->options;
  // The first one, so that connections that only a peak needed become idle and are closed. Those to
  // a list of addresses stay open, because gRPC watches their health.
  auto chosen = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.streams < options.streams_per_channel;
  });
  if (chosen == entries.end()) {
    if (entries.size() < static_cast<std::size_t>(options.max_channels)) {
      entries.push_back({state_->make(static_cast<int>(entries.size()))});
      chosen = entries.end() - 1;
    } else {
      chosen = std::min_element(entries.begin(), entries.end(),
                                [](const auto& a, const auto& b) { return a.streams < b.streams; });
    }
  }
  ++chosen->streams;
  const auto index = static_cast<std::size_t>(chosen - entries.begin());
  return {chosen->channel.get(), [state = state_, index](grpc::Channel*) {
            MutexLock inner(state->mu);
            --state->entries[index].streams;
          }};
}

std::size_t ChannelPool::size() const {
  MutexLock lock(state_->mu);
  return state_->entries.size();
}

}  // namespace ridestream::rpc
