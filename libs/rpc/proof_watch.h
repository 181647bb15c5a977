#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/status.h"
#include "libs/server_streams/push_stream.h"

namespace ridestream::rpc {

/// Ends open streams whose caller's proof is no longer valid, because the token expired longer ago
/// than a grace period or was revoked. Checks all of them every second of wall time, on its own
/// thread. Also limits the number of streams of each rider, driver and viewer, over all
/// connections. A service with long streams owns one. Thread-safe.
class ProofWatch {
 public:
  static constexpr std::size_t kMaxStreamsPerCaller = 50;

  /// `authenticator` must outlive it.
  explicit ProofWatch(const Authenticator& authenticator,
                      std::chrono::milliseconds every = std::chrono::seconds(1),
                      std::size_t max_streams_per_caller = kMaxStreamsPerCaller);

  /// Watches the stream until nothing holds it any more. `end` is called at most once, without a
  /// lock, with the reason; at once, with RESOURCE_EXHAUSTED, if the caller has too many streams.
  template <class Stream>
  void Add(const Admission& admission, const std::shared_ptr<Stream>& stream,
           std::function<void(Stream&, const absl::Status&)> end) {
    std::weak_ptr<Stream> weak = stream;
    Add({admission.proof, [weak, end = std::move(end)](const absl::Status& status) {
           const std::shared_ptr<Stream> alive = weak.lock();
           if (alive != nullptr && !status.ok()) end(*alive, status);
           return alive != nullptr && status.ok();
         }});
  }
  /// Watches a server stream, and closes it with the reason.
  template <class Message>
  void Add(const Admission& admission,
           const std::shared_ptr<streams::PushStream<Message>>& stream) {
    Add<streams::PushStream<Message>>(
        admission, stream, [](auto& ending, const absl::Status& status) { ending.Close(status); });
  }
  template <class Message>
  void Add(const Admission& admission, const std::shared_ptr<PushStream<Message>>& stream) {
    Add<PushStream<Message>>(admission, stream, [](auto& ending, const absl::Status& status) {
      ending.Close(ToGrpcStatus(status));
    });
  }

 private:
  struct Watched {
    Proof proof;
    /// Applies the state of the proof. Returns false when there is nothing more to watch.
    std::function<bool(const absl::Status& status)> update;
  };
  void Add(Watched watched);
  /// Counts one more stream of this caller. Returns false if the caller has reached its limit.
  bool AcquireShare(const Caller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseShare(const Caller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Removes the caller's ended streams, before the next periodic check does.
  void DropEnded(const Caller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ScheduleCheck();
  void CheckAll();

  const Authenticator& authenticator_;
  const std::chrono::milliseconds every_;
  const std::size_t max_streams_per_caller_;
  Mutex mu_;
  /// Counts by the names of limited callers: at most as many entries as streams.
  absl::flat_hash_map<std::string, std::size_t> streams_of_ ABSL_GUARDED_BY(mu_);
  std::vector<Watched> watched_ ABSL_GUARDED_BY(mu_);
  TimerQueue timer_;  // Declared last, so that its thread ends first.
};

}  // namespace ridestream::rpc
