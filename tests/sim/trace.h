#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <iterator>
#include <utility>

#include "tests/sim/agenda.h"

namespace ridestream::sim {

/// A line for each event: hashed, so that two runs can be compared exactly, and optionally printed.
/// Not thread-safe.
class Trace {
 public:
  Trace(const Agenda& agenda, bool print) : agenda_(agenda), print_(print) {}

  template <class... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    buffer_.clear();
    const auto us = (agenda_.now() - ScaledClock::kAnchor).count();
    fmt::format_to(std::back_inserter(buffer_), "{:6}.{:06}  ", us / 1'000'000, us % 1'000'000);
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
    buffer_.push_back('\n');
    for (const char c : buffer_) Take(c);
    if (print_) std::fwrite(buffer_.data(), 1, buffer_.size(), stdout);
  }

  /// FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo, 1991) of all lines.
  std::uint64_t hash() const { return hash_; }

 private:
  void Take(char c) { hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL; }

  const Agenda& agenda_;
  const bool print_;
  fmt::memory_buffer buffer_;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace ridestream::sim
