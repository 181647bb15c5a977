#pragma once

#include <cstdint>
#include <optional>

namespace ridestream::dispatch {

/// Whether this process may decide for a market. Its runner asks before it acts. Thread-safe.
class MarketLease {
 public:
  virtual ~MarketLease() = default;
  /// The current term to act in. nullopt if another process may be leading the market, now or soon.
  virtual std::optional<std::uint64_t> TermToActIn() const = 0;
  /// The trip service refused a command or a report since its term is over.
  virtual void OnTermRefused() = 0;
};

}  // namespace ridestream::dispatch
