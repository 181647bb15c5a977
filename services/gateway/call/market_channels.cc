#include "services/gateway/call/market_channels.h"

#include <algorithm>
#include <utility>

#include "libs/rpc/channel.h"

namespace ridestream::gateway {

absl::StatusOr<std::shared_ptr<grpc::Channel>> MarketChannels::Take(std::string_view market,
                                                                    CallerClass caller_class) {
  const absl::StatusOr<std::string> address = options_.addresses.Find(market);
  if (!address.ok()) return address.status();
  std::shared_ptr<rpc::ChannelPool> pool;
  {
    MutexLock lock(mu_);
    auto found = by_address_.find(*address);
    if (found == by_address_.end()) {
      if (by_address_.size() >= options_.max_addresses) ForgetOldest();
      found = by_address_.emplace(*address, Entry{MakePools(*address)}).first;
    }
    found->second.used_at = ++uses_;
    pool = found->second.pools[static_cast<std::size_t>(caller_class)];
  }
  return pool->Take();
}

std::size_t MarketChannels::size() const {
  MutexLock lock(mu_);
  return by_address_.size();
}

MarketChannels::Pools MarketChannels::MakePools(const std::string& address) const {
  Pools pools;
  const rpc::ChannelPool::Options pool_options;
  for (std::size_t i = 0; i < kCallerClasses; ++i) {
    const int first = static_cast<int>(i) * pool_options.max_channels;
    pools[i] = std::make_shared<rpc::ChannelPool>(
        [address, first, retried = options_.retried_services,
         credentials = options_.credentials](int connection) {
          return rpc::MakeChannel(address, {.retried_services = retried,
                                            .connection = first + connection,
                                            .credentials = credentials});
        },
        pool_options);
  }
  return pools;
}

void MarketChannels::ForgetOldest() {
  by_address_.erase(std::min_element(
      by_address_.begin(), by_address_.end(),
      [](const auto& a, const auto& b) { return a.second.used_at < b.second.used_at; }));
}

}  // namespace ridestream::gateway
