#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ridestream {

/// A counter for many threads that increment it often. Each thread adds to one of a few cells, each
/// on its own cache line, so that threads seldom contend. Takes 512 bytes. Thread-safe.
class ShardedCounter {
 public:
  void Add(std::uint64_t count = 1) {
    cells_[ThisThread() % kCells].value.fetch_add(count, std::memory_order_relaxed);
  }
  /// The sum so far. Concurrent additions may or may not be included.
  std::uint64_t value() const {
    std::uint64_t sum = 0;
    for (const Cell& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kCells = 8;
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value = 0;
  };

  /// Threads are numbered in the order of their first use.
  static std::size_t ThisThread() {
    static std::atomic<std::size_t> threads = 0;
    static thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
    return number;
  }

  std::array<Cell, kCells> cells_;
};

}  // namespace ridestream
