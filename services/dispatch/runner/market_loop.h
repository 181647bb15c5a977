#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/worker.h"
#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/drive/driver_session.h"
#include "services/dispatch/runner/event_queue.h"

namespace ridestream::dispatch {

/// Runs one Market: a worker takes events from the queue, passes them to the market, and carries
/// out its decisions. Since one worker does all of it, decisions are carried out in order. Due
/// timers fire before the next event, as an event of their own. Thread-safe.
class MarketLoop final : public EventSink {
 public:
  /// Called on the worker.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void Handling(const Event& event, Time now) = 0;
    /// The decisions on the event, which are carried out next.
    virtual void Decided(const std::vector<Decision>& decisions) = 0;
    /// `took`: time to handle the event and carry out its decisions.
    virtual void Handled(const Event& event, std::chrono::nanoseconds took) = 0;
  };
  using CarryOut = std::function<void(Decision)>;

  /// The objects that the arguments refer to must outlive this one. `carry_out` is called on the
  /// worker. For `max_waiting_events` see EventQueue.
  MarketLoop(const MarketConfig& config, const Clock& clock, Executor& executor, Observer& observer,
             CarryOut carry_out, std::size_t max_waiting_events = EventQueue::kMax);
  ~MarketLoop() override { Stop(); }

  /// Starts the worker.
  void Start();
  /// Stops the worker after its current event. Further events may arrive and wait.
  void Stop();

  bool Post(Event event) override { return queue_.Offer(std::move(event)); }
  void PostAlways(Event event) override { queue_.Answer(std::move(event)); }
  const EventQueue& events() const { return queue_; }

  /// The counters of Market with these names.
  std::uint64_t eta_corrections() const { return eta_corrections_; }
  std::uint64_t promises_broken() const { return promises_broken_; }
  std::uint64_t rounds_out_of_time() const { return rounds_out_of_time_; }

 private:
  std::optional<std::chrono::nanoseconds> Work();
  void HandleDueTimers();
  void Handle(const Event& event);

  const Clock& clock_;
  Executor& executor_;
  Observer& observer_;
  const CarryOut carry_out_;
  Market market_;  // Touched by the worker alone.
  EventQueue queue_;
  std::atomic<std::uint64_t> eta_corrections_ = 0;
  std::atomic<std::uint64_t> promises_broken_ = 0;
  std::atomic<std::uint64_t> rounds_out_of_time_ = 0;
  std::unique_ptr<Worker> worker_;
};

}  // namespace ridestream::dispatch
