#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

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

/// The connections of a server: counted, in all and by address, and told when it stops.
/// Thread-safe.
class Peers {
 public:
  /// Held by a connection as long as it lives.
  class Seat {
   public:
    Seat(Peers& peers, std::uint64_t id, std::string address)
        : peers_(peers), id_(id), address_(std::move(address)) {}
    ~Seat() { peers_.Leave(id_, address_); }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    /// For a further peer at the same address.
    std::unique_ptr<Seat> Another(const std::weak_ptr<Peer>& peer) const {
      return peers_.Enter(peer, address_);
    }

   private:
    Peers& peers_;
    const std::uint64_t id_;
    const std::string address_;
  };

  std::unique_ptr<Seat> Enter(const std::weak_ptr<Peer>& peer, const std::string& address);
  std::size_t count() const;
  std::size_t CountOf(const std::string& address) const;

  /// Tells all, and every later one.
  void StartDrain();
  void Cut();
  /// False when some are left after `timeout`.
  bool WaitUntilNone(std::chrono::milliseconds timeout);
  void WaitUntilNone();

 private:
  void Leave(std::uint64_t id, const std::string& address);
  template <class Tell>
  void TellAll(Tell tell);

  mutable Mutex mu_;
  CondVar left_;
  std::unordered_map<std::uint64_t, std::weak_ptr<Peer>> peers_ ABSL_GUARDED_BY(mu_);
  std::unordered_map<std::string, std::size_t> addresses_ ABSL_GUARDED_BY(mu_);
  std::uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool cut_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::gateway
