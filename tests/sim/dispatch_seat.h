#pragma once

#include <memory>
#include <string>

#include "libs/base/clock.h"
#include "services/dispatch/domain/market/testing/market_checker.h"
#include "tests/sim/host.h"

namespace ridestream::sim {

class DispatchProcess;

/// A machine for a dispatch process, the process on it, or null while there is none, and who checks
/// what each of its lives decides.
struct DispatchSeat {
  explicit DispatchSeat(std::string name) : host(std::move(name)) {}

  Host host;
  dispatch::MarketChecker checker{ScaledClock::kAnchor};
  std::unique_ptr<DispatchProcess> process;
};

}  // namespace ridestream::sim
