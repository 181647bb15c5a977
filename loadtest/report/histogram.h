#pragma once

#include <cstdint>
#include <vector>

namespace ridestream::loadtest {

/// Counts values from 0 to about 7 * 10^10 so that each percentile is true to three significant
/// digits, in 216 KB whatever is counted. The algorithm is that of G. Tene's HdrHistogram
/// (hdrhistogram.org): buckets whose width doubles, each divided into equally wide parts.
/// (Debian packages no C or C++ version of it.) Not thread-safe.
class Histogram {
 public:
  Histogram();

  /// Negative values count as 0, those beyond the range as its end; max() is exact all the same.
  void Add(std::int64_t value);
  void Merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::int64_t max() const { return max_; }
  double mean() const;
  /// The smallest value, to three digits, that at least `quantile` (0 to 1) of all values don't
  /// exceed. 0 when nothing was counted.
  std::int64_t Quantile(double quantile) const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace ridestream::loadtest
