#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ridestream {

/// Counts what many threads do often. Each thread adds to one of a few cells, each on a cache line
/// of its own, so that two of them seldom fight for one. Takes 512 bytes. Thread-safe.
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

  /// Threads are numbered as they come.
  static std::size_t ThisThread() {
    static std::atomic<std::size_t> threads = 0;
    static thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
    return number;
  }

  std::array<Cell, kCells> cells_;
};

}  // namespace ridestream
