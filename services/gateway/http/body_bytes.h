#pragma once

#include <atomic>
#include <cstddef>

namespace ridestream::gateway {

/// Counts the bytes of request bodies and WebSocket messages, complete or not, that all connections
/// of a server hold together. Thread-safe.
class BodyBytes {
 public:
  explicit BodyBytes(std::size_t bound) : bound_(bound) {}

  /// The bytes that one connection holds. Not thread-safe.
  class Share {
   public:
    explicit Share(BodyBytes& all) : all_(all) {}
    ~Share() { Resize(0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// Returns false and changes nothing if all shares together would exceed the bound.
    bool Resize(std::size_t bytes) {
      if (bytes > held_ && !all_.Take(bytes - held_)) return false;
      if (bytes < held_) all_.used_ -= held_ - bytes;
      held_ = bytes;
      return true;
    }

   private:
    BodyBytes& all_;
    std::size_t held_ = 0;
  };

  std::size_t used() const { return used_; }

 private:
  bool Take(std::size_t bytes) {
    std::size_t used = used_;
    do {
      if (bytes > bound_ || used > bound_ - bytes) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes));
    return true;
  }

  const std::size_t bound_;
  std::atomic<std::size_t> used_ = 0;
};

}  // namespace ridestream::gateway
