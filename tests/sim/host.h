#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "tests/sim/agenda.h"

namespace ridestream::sim {

/// Where a process or device runs. It is up or down, and each time that it comes up a new life
/// begins. Not thread-safe.
class Host {
 public:
  explicit Host(std::string name) : name_(std::move(name)) {}
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& name() const { return name_; }
  bool up() const { return up_; }
  const Life& life() const { return life_; }

  void ComeUp() {
    life_.Begin();
    up_ = true;
  }
  /// Pauses the host's process until then; others are not notified.
  void PauseUntil(Time until) {
    resumes_at_ = std::max(resumes_at_, until);
    life_.PauseUntil(until);
  }
  /// The end of its latest pause, possibly one of an earlier life.
  Time resumes_at() const { return resumes_at_; }
  /// Ends the life, and notifies connections.
  void GoDown() {
    life_.End();
    up_ = false;
    auto connections = std::exchange(connections_, {});
    for (const auto& [key, broke] : connections) broke();
  }

  /// `broke` is called when the host goes down, unless the connection is removed before.
  std::uint64_t AddConnection(std::function<void()> broke) {
    connections_[++last_connection_] = std::move(broke);
    return last_connection_;
  }
  void RemoveConnection(std::uint64_t key) { connections_.erase(key); }

 private:
  const std::string name_;
  bool up_ = false;
  Life life_;
  Time resumes_at_{};
  std::uint64_t last_connection_ = 0;
  std::map<std::uint64_t, std::function<void()>> connections_;
};

}  // namespace ridestream::sim
