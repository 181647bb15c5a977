#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/dispatch/record/record.pb.h"
#include "services/dispatch/runner/market_runner.h"

namespace ridestream::dispatch {

/// Records what a market handles, with all that its decisions depend on, and passes everything on
/// to another observer. The market's worker calls it, except for CommandEnded.
///
/// A batch ends with the event that fills it or makes it a second old; drivers' positions, surveys
/// and timers come more often than that in a market at work. The last batch leaves with Flush.
class EventRecorder final : public MarketRunner::Observer {
 public:
  /// Takes a batch of length-delimited Records with this number of events. Returns false if the
  /// batch isn't accepted, which leaves a gap in the record.
  using Sink = std::function<bool(std::string batch, std::uint64_t events)>;

  static constexpr std::size_t kBatchBytes = 64 * 1'024;
  static constexpr Duration kBatchAge = std::chrono::seconds(1);

  EventRecorder(std::unique_ptr<MarketRunner::Observer> observer, Sink sink);
  ~EventRecorder() override { Flush(); }

  /// The same deadline, whose outcome is recorded: for the market's config. The recorder must
  /// outlive it.
  StartDeadline Watch(StartDeadline deadline);
  /// Hands the sink what it hasn't got. Only while the market decides nothing.
  void Flush();

  void Handling(const Event& event, Time now) override;
  void Decided(const std::vector<Decision>& decisions) override;
  void Handled(const Event& event, std::chrono::nanoseconds took) override;
  void CommandEnded(const std::string& command, absl::StatusCode code) override;

 private:
  const std::unique_ptr<MarketRunner::Observer> observer_;
  const Sink sink_;
  // Kept from event to event for their memory.
  record::Record record_;
  std::string decision_bytes_;
  std::string batch_;
  std::uint64_t batch_events_ = 0;
  Time batch_began_{};
  /// As Entry.solver_stopped_after, of the event that is being handled.
  std::vector<std::uint32_t> stopped_after_;
};

/// Appends the record with its length before it.
void AppendDelimited(const record::Record& record, std::string& bytes);

}  // namespace ridestream::dispatch
