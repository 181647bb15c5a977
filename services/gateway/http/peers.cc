#include "services/gateway/http/peers.h"

#include <vector>

namespace ridestream::gateway {

std::unique_ptr<Peers::Seat> Peers::Enter(const std::weak_ptr<Peer>& peer,
                                          const std::string& address) {
  bool draining = false;
  bool cut = false;
  std::uint64_t id = 0;
  {
    MutexLock lock(mu_);
    id = ++last_id_;
    peers_.emplace(id, peer);
    ++addresses_[address];
    draining = draining_;
    cut = cut_;
  }
  if (const auto entered = peer.lock()) {
    if (draining) entered->StartDrain();
    if (cut) entered->Cut();
  }
  return std::make_unique<Seat>(*this, id, address);
}

std::size_t Peers::count() const {
  MutexLock lock(mu_);
  return peers_.size();
}

std::size_t Peers::CountOf(const std::string& address) const {
  MutexLock lock(mu_);
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? 0 : found->second;
}

template <class Action>
void Peers::ForEachPeer(Action action) {
  std::vector<std::weak_ptr<Peer>> all;
  {
    MutexLock lock(mu_);
    all.reserve(peers_.size());
    for (const auto& [id, peer] : peers_) all.push_back(peer);
  }
  for (const auto& peer : all) {
    if (const auto alive = peer.lock()) action(*alive);
  }
}

void Peers::StartDrain() {
  {
    MutexLock lock(mu_);
    draining_ = true;
  }
  ForEachPeer([](Peer& peer) { peer.StartDrain(); });
}

void Peers::Cut() {
  {
    MutexLock lock(mu_);
    cut_ = true;
  }
  ForEachPeer([](Peer& peer) { peer.Cut(); });
}

bool Peers::WaitUntilNone(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mu_);
  while (!peers_.empty()) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    left_.WaitFor(mu_, left);
  }
  return true;
}

void Peers::WaitUntilNone() {
  MutexLock lock(mu_);
  while (!peers_.empty()) left_.Wait(mu_);
}

void Peers::Leave(std::uint64_t id, const std::string& address) {
  MutexLock lock(mu_);
  peers_.erase(id);
  const auto found = addresses_.find(address);
  if (--found->second == 0) addresses_.erase(found);
  left_.SignalAll();
}

}  // namespace ridestream::gateway
