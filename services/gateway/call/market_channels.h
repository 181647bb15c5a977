#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/mutex.h"
#include "libs/rpc/channel_pool.h"
#include "libs/service/market_addresses.h"
#include "services/gateway/call/call.h"

namespace ridestream::gateway {

/// The channels to one service, whose address may depend on the market. Each CallerClass has its
/// own connections to each address. Thread-safe.
class MarketChannels {
 public:
  struct Options {
    service::MarketAddresses addresses;
    /// See rpc::ChannelOptions.
    std::vector<std::string> retried_services = {};
    /// Null for plaintext.
    std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
    /// Whether each process reports a health status for each of its markets. A call then goes to a
    /// process that serves its market, provided that the addresses are listed by market. With a
    /// single list for all markets the market's health is not watched: clients choose the market
    /// names, and each name would occupy one of the process's health watches.
    bool markets_have_health = false;
    /// Maximum number of addresses whose connections are kept. Clients choose the market names that
    /// a DNS template is filled with, so the number of addresses has no other bound. Beyond this
    /// number, the least recently used address is dropped; its open calls continue.
    std::size_t max_addresses = 256;
  };
  explicit MarketChannels(Options options) : options_(std::move(options)) {}

  /// Returns a channel for one call that concerns `market`. Hold the channel until the call has
  /// ended. Errors are those of MarketAddresses::Find.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Take(std::string_view market,
                                                      CallerClass caller_class);

  /// Number of addresses whose connections are kept.
  std::size_t size() const;

 private:
  /// A pool for each CallerClass, indexed by the class.
  using Pools = std::array<std::shared_ptr<rpc::ChannelPool>, kCallerClasses>;
  struct Entry {
    Pools pools;
    std::uint64_t used_at = 0;  // Value of uses_ at the last use.
  };

  /// An address, and the part of its processes whose health is watched; see
  /// ChannelOptions::health_part.
  using Target = std::pair<std::string, std::string>;

  Pools MakePools(const Target& target) const;
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  mutable Mutex mu_;
  std::map<Target, Entry> by_target_ ABSL_GUARDED_BY(mu_);
  std::uint64_t uses_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::gateway
