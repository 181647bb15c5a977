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

/// The server's view of a connection. Both functions may be called from any thread, and have no
/// effect after the connection has ended.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void StartDrain() = 0;
  virtual void Cut() = 0;
};

/// The connections of a server. Counts them, in total and by address, and notifies them when the
/// server stops. Thread-safe.
class Peers {
 public:
  /// A connection holds its seat for its lifetime.
  class Seat {
   public:
    Seat(Peers& peers, std::uint64_t id, std::string address)
        : peers_(peers), id_(id), address_(std::move(address)) {}
    ~Seat() { peers_.Leave(id_, address_); }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    /// Makes a seat for another peer at the same address.
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

  /// Notifies all connections, and those that enter later.
  void StartDrain();
  void Cut();
  /// Returns false if some connections are left after `timeout`.
  bool WaitUntilNone(std::chrono::milliseconds timeout);
  void WaitUntilNone();

 private:
  void Leave(std::uint64_t id, const std::string& address);
  template <class Action>
  void ForEachPeer(Action action);

  mutable Mutex mu_;
  CondVar left_;
  std::unordered_map<std::uint64_t, std::weak_ptr<Peer>> peers_ ABSL_GUARDED_BY(mu_);
  std::unordered_map<std::string, std::size_t> addresses_ ABSL_GUARDED_BY(mu_);
  std::uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool cut_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ridestream::gateway
