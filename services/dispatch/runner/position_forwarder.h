#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/streams/report_stream.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/dispatch/drive/driver_session.h"

namespace ridestream::dispatch {

/// Sends the positions of one market to location, in batches that grow when location is slow.
/// Bounded to kMaxBatches of kBatch positions. On overflow the oldest batch is dropped and counted,
/// since each driver's next report replaces its positions. Thread-safe.
class PositionForwarder final : public PositionSink {
 public:
  static constexpr int kBatch = 4'096;
  static constexpr std::size_t kMaxBatches = 32;

  using Request = location::v1::ReportPositionsRequest;
  /// Opens a stream to location.
  using Open =
      std::function<std::unique_ptr<streams::WriteStream<Request>>(streams::WriteListener&)>;

  PositionForwarder(const Clock& clock, TimerPort& timers, Open open, std::string market);
  ~PositionForwarder() override { stream_.Stop(); }

  /// Calls `fill` under the lock.
  void Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) override;

  /// Number of positions that were dropped because location was too slow.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  /// Number of batches that wait to be sent, including the one being filled.
  std::size_t waiting_batches() const {
    MutexLock lock(mu_);
    return batches_.size();
  }

 private:
  void NewBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool NextBatch(Request* request);

  const Clock& clock_;
  const std::string market_;
  mutable Mutex mu_;
  std::deque<std::unique_ptr<Request>> batches_ ABSL_GUARDED_BY(mu_);
  // Used batches, which keep the memory of their positions.
  std::vector<std::unique_ptr<Request>> spare_ ABSL_GUARDED_BY(mu_);
  std::atomic<std::uint64_t> dropped_ = 0;
  streams::ReportStream<Request> stream_;
};

}  // namespace ridestream::dispatch
