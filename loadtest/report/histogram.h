#pragma once

#include <cstdint>
#include <vector>

namespace ridestream::loadtest {

/// Counts values from 0 to about 7 * 10^10 so that every percentile has three significant digits,
/// in 216 KB for any number of values. The algorithm is G. Tene's HdrHistogram (hdrhistogram.org):
/// buckets of doubling width, each divided into equal parts. (Debian packages no C or C++ version.)
/// Not thread-safe.
class Histogram {
 public:
  Histogram();

  /// Negative values count as 0, and values beyond the range as its end; max() is always exact.
  void Add(std::int64_t value);
  void Merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::int64_t max() const { return max_; }
  double mean() const;
  /// The smallest value, to three digits, that is not exceeded by at least the share `quantile` (0
  /// to 1) of all values. 0 if there are no values.
  std::int64_t Quantile(double quantile) const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace ridestream::loadtest
