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

/// The channels to one service, which may be served elsewhere for each market. Each CallerClass has
/// connections of its own to each address. Thread-safe.
class MarketChannels {
 public:
  struct Options {
    service::MarketAddresses addresses;
    /// See rpc::ChannelOptions.
    std::vector<std::string> retried_services = {};
    /// Null for plaintext.
    std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
    /// Whether each process has a health for each of its markets. Then a call goes to a process
    /// that serves its market, if the addresses are listed for each market. (In a single list they
    /// aren't: there clients choose the markets, and each takes some of a process's health
    /// watches.)
    bool markets_have_health = false;
    /// Addresses whose connections are kept. Clients choose the markets that a DNS template is
    /// filled with, so that there is no end to them: beyond this, the address that was used longest
    /// ago is forgotten. Its calls under way go on.
    std::size_t max_addresses = 256;
  };
  explicit MarketChannels(Options options) : options_(std::move(options)) {}

  /// A channel for one call that concerns `market`; held until the call has ended. Errors of
  /// MarketAddresses::Find.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Take(std::string_view market,
                                                      CallerClass caller_class);

  /// Addresses whose connections are kept now.
  std::size_t size() const;

 private:
  /// One for each CallerClass, by its number.
  using Pools = std::array<std::shared_ptr<rpc::ChannelPool>, kCallerClasses>;
  struct Entry {
    Pools pools;
    std::uint64_t used_at = 0;  // By uses_.
  };

  /// An address and the part of its processes whose health counts, as ChannelOptions::health_part.
  using Target = std::pair<std::string, std::string>;

  Pools MakePools(const Target& target) const;
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  mutable Mutex mu_;
  std::map<Target, Entry> by_target_ ABSL_GUARDED_BY(mu_);
  std::uint64_t uses_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::gateway
