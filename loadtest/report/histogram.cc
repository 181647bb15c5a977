#include "loadtest/report/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace ridestream::loadtest {
namespace {

// With 2^11 parts, values that differ by 1 in 1,024 are distinct: three digits.
constexpr int kHalfBits = 10;
constexpr std::int64_t kHalf = std::int64_t{1} << kHalfBits;
constexpr int kBuckets = 26;
constexpr std::int64_t kLargest = (kHalf << kBuckets) - 1;

// The first bucket has 2 * kHalf parts of width 1. Bucket b > 0 has kHalf parts of width 2^b,
// because the earlier buckets cover its lower half.
size_t IndexOf(std::int64_t value) {
  const auto bits = std::bit_width(static_cast<std::uint64_t>(value));
  const int bucket = std::max(0, static_cast<int>(bits) - kHalfBits - 1);
  return static_cast<size_t>(bucket) * kHalf + static_cast<size_t>(value >> bucket);
}

std::int64_t LargestAt(size_t index) {
  const auto at = static_cast<std::int64_t>(index);
  const auto bucket = std::max<std::int64_t>(0, at / kHalf - 1);
  return ((at - bucket * kHalf + 1) << bucket) - 1;
}

}  // namespace

Histogram::Histogram() : counts_(IndexOf(kLargest) + 1) {}

void Histogram::Add(std::int64_t value) {
  value = std::max<std::int64_t>(0, value);
  ++counts_[IndexOf(std::min(value, kLargest))];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::int64_t Histogram::Quantile(double quantile) const {
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted) return std::min(LargestAt(i), max_);
  }
  return max_;
}

}  // namespace ridestream::loadtest
