#include "tests/sim/faults.h"

namespace ridestream::sim {
namespace {

struct Kind {
  std::string_view name;
  /// Mean probability per opportunity over all seeds; 0 for faults that follow from others. An
  /// opportunity is a message, a call, a commit, a command, or (for crashes, storms, silences) a
  /// step.
  double rate;
};

// clang-format off
constexpr std::array<Kind, kFaultCount> kKinds = {{
    {"message_delayed", 0.03},
    {"message_overtaken", 0},
    {"message_lost", 0},
    {"request_lost", 0.03},
    {"reply_lost", 0.04},
    {"request_doubled", 0},
    {"stream_cut", 0.008},
    {"stream_half_open", 0.3},
    {"network_switched", 0.006},
    {"reader_slow", 0.02},
    {"reader_stuck", 0.002},
    {"trip_crashed", 0.0008},
    {"dispatch_crashed", 0.0008},
    {"dispatch_drained", 0.0004},
    {"dispatch_paused", 0.0003},
    {"lease_clock_stepped", 0.0003},
    {"location_crashed", 0.0008},
    {"write_lost", 0},
    {"disk_failed", 0.03},
    {"batch_spoilt", 0.1},
    {"disk_slow", 0.05},
    {"worker_slow", 0.01},
    {"location_stale", 0.0015},
    {"location_silent", 0.0015},
    {"market_queue_full", 0.01},
    {"reconnect_storm", 0.0006},
    {"driver_vanished", 0.003},
    {"driver_vanished_with_rider", 0.003},
    {"device_clock_wrong", 0.3},
    {"position_jumped", 0.03},
    {"accept_late", 0},
    {"command_doubled", 0.1},
    {"command_wrong", 0.004},
}};
// clang-format on

}  // namespace

std::string_view Name(Fault fault) { return kKinds[static_cast<std::size_t>(fault)].name; }

bool MayDelay(Fault fault) {
  switch (fault) {
    case Fault::kRequestDoubled:
    case Fault::kDeviceClockWrong:
    case Fault::kAcceptLate:
    case Fault::kCommandDoubled:
    case Fault::kCommandWrong:
      return false;
    default:
      return true;
  }
}

Faults::Faults(std::uint64_t seed) : never_(seed % 8 == 0), random_(seed, 1) {
  constexpr std::array kFactors = {0.0, 0.3, 1.0, 2.7};  // Their mean is 1.
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    rates_[i] = never_ ? 0 : kKinds[i].rate * kFactors[random_.Below(kFactors.size())];
  }
}

bool Faults::Threatens(Fault fault) {
  return !calm_ && random_.Chance(rates_[static_cast<std::size_t>(fault)]);
}

bool Faults::Strikes(Fault fault) {
  if (!Threatens(fault)) return false;
  Count(fault);
  return true;
}

}  // namespace ridestream::sim
