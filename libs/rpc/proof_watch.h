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

/// Ends open streams whose caller's proof holds no longer, because the token ended a grace ago or
/// was revoked: looks at all of them every second of the wall, on a thread of its own. Also ends
/// those that one rider, driver or viewer opens beyond its share, on however many connections.
/// Thread-safe. A service that serves long streams owns one.
class ProofWatch {
 public:
  static constexpr std::size_t kMaxStreamsPerCaller = 50;

  /// `authenticator` must outlive it.
  explicit ProofWatch(const Authenticator& authenticator,
                      std::chrono::milliseconds every = std::chrono::seconds(1),
                      std::size_t max_streams_per_caller = kMaxStreamsPerCaller);

  /// Watches the stream until nobody holds it any more. `end` is called at most once, without a
  /// lock, with the reason; RESOURCE_EXHAUSTED at once when the caller has too many.
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
  /// The same for a server's stream, which is closed with the reason.
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
    /// Processes the state of the proof. False when there is nothing more to watch.
    std::function<bool(const absl::Status& status)> update;
  };
  void Add(Watched watched);
  /// Counts one more stream of this caller. False if the caller has reached its limit.
  bool TakeShare(const Caller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void GiveBackShare(const Caller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Forgets the caller's streams that have ended, before the next look does.
  void DropEnded(const Caller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LookLater();
  void Look();

  const Authenticator& authenticator_;
  const std::chrono::milliseconds every_;
  const std::size_t max_streams_per_caller_;
  Mutex mu_;
  /// By the names of callers who have a share: at most as many as streams.
  absl::flat_hash_map<std::string, std::size_t> streams_of_ ABSL_GUARDED_BY(mu_);
  std::vector<Watched> watched_ ABSL_GUARDED_BY(mu_);
  TimerQueue timer_;  // Last, so that its thread ends first.
};

}  // namespace ridestream::rpc
