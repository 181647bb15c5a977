#pragma once

#include <cstdint>
#include <optional>

namespace ridestream::dispatch {

/// Whether this process may decide for a market, as its runner asks before it acts. Thread-safe.
class MarketLease {
 public:
  virtual ~MarketLease() = default;
  /// The term to act in just now. Nothing: another process may be deciding, or will be soon.
  virtual std::optional<std::uint64_t> TermToActIn() const = 0;
  /// Trip refused a command or a report since its term is over.
  virtual void OnTermRefused() = 0;
};

}  // namespace ridestream::dispatch
