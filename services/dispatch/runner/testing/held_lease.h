#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "services/dispatch/runner/market_lease.h"

namespace ridestream::dispatch {

/// A lease as the test says, held in term 1 at first. Thread-safe.
class HeldLease final : public MarketLease {
 public:
  std::optional<std::uint64_t> TermToActIn() const override {
    const std::uint64_t term = term_;
    return term == 0 ? std::nullopt : std::optional(term);
  }
  void OnTermRefused() override { ++refused_; }

  /// 0: not to be counted on.
  void set_term(std::uint64_t term) { term_ = term; }
  int refused() const { return refused_; }

 private:
  std::atomic<std::uint64_t> term_ = 1;
  std::atomic<int> refused_ = 0;
};

}  // namespace ridestream::dispatch
