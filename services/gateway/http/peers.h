#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "libs/base/mutex.h"

namespace ridestream::gateway {

/// A connection as its server sees it. Both functions from any thread, and without effect when it
/// has ended.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void StartDrain() = 0;
  virtual void Cut() = 0;
};

/// The connections of a server: counted, and told when it stops. Thread-safe.
class Peers {
 public:
  /// Held by a connection as long as it lives.
  class Seat {
   public:
    Seat(Peers& peers, std::uint64_t id) : peers_(peers), id_(id) {}
    ~Seat() { peers_.Leave(id_); }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    Peers& peers() const { return peers_; }

   private:
    Peers& peers_;
    const std::uint64_t id_;
  };

  std::unique_ptr<Seat> Enter(const std::weak_ptr<Peer>& peer);
  std::size_t count() const;

  /// Tells all, and every later one.
  void StartDrain();
  void Cut();
  /// False when some are left after `timeout`.
  bool WaitUntilNone(std::chrono::milliseconds timeout);
  void WaitUntilNone();

 private:
  void Leave(std::uint64_t id);
  template <class Tell>
  void TellAll(Tell tell);

  mutable Mutex mu_;
  CondVar left_;
  std::unordered_map<std::uint64_t, std::weak_ptr<Peer>> peers_ ABSL_GUARDED_BY(mu_);
  std::uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool cut_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::gateway
