#include "tests/replay/record_replay.h"

#include <utility>

#include "libs/base/mutex.h"
#include "services/dispatch/domain/events/decision_bytes.h"
#include "services/dispatch/record/record_codec.h"

namespace ridestream::replay {
namespace {

Mutex g_broken_mutex;
std::vector<BrokenInvariant> g_broken ABSL_GUARDED_BY(g_broken_mutex);

void KeepBroken(const BrokenInvariant& broken) {
  MutexLock lock(g_broken_mutex);
  g_broken.push_back(broken);
}

}  // namespace

InvariantWatch::InvariantWatch() {
  TakeBroken();
  SetInvariantHandler(KeepBroken);
}

InvariantWatch::~InvariantWatch() { SetInvariantHandler(nullptr); }

std::vector<BrokenInvariant> InvariantWatch::TakeBroken() {
  MutexLock lock(g_broken_mutex);
  return std::exchange(g_broken, {});
}

RecordReplay::RecordReplay(dispatch::MarketConfig config)
    : market_([&] {
        // The solver stops where it was stopped, however long it takes here.
        config.matching_deadline = [this]() -> dispatch::OutOfTime {
          if (stopped_after_.empty()) return [] { return false; };
          const std::uint32_t asked = stopped_after_.front();
          stopped_after_.pop_front();
          return
              [asked, rows = std::uint32_t{0}]() mutable { return asked != 0 && ++rows >= asked; };
        };
        return std::move(config);
      }()) {}

absl::StatusOr<std::unique_ptr<RecordReplay>> RecordReplay::Start(
    const dispatch::record::Header& header) {
  auto config = dispatch::Decode(header.settings());
  if (!config.ok()) return config.status();
  config->market = MarketId(header.market());
  return std::unique_ptr<RecordReplay>(new RecordReplay(*std::move(config)));
}

absl::StatusOr<RecordReplay::Step> RecordReplay::Handle(const dispatch::record::Entry& entry) {
  auto event = dispatch::Decode(entry.event());
  if (!event.ok()) return event.status();
  stopped_after_.assign(entry.solver_stopped_after().begin(), entry.solver_stopped_after().end());
  Step step{.at = Time(Duration(entry.at())), .event = *std::move(event), .decisions = {}};
  step.decisions = market_.Handle(step.event, step.at);
  bytes_.clear();
  for (const dispatch::Decision& decision : step.decisions) {
    dispatch::AppendBytes(decision, bytes_);
  }
  step.equal =
      step.decisions.size() == entry.decisions() && dispatch::Checksum(bytes_) == entry.checksum();
  return step;
}

}  // namespace ridestream::replay
