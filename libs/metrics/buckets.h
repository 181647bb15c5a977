#pragma once

#include "prometheus/histogram.h"

/// Upper bounds of the buckets of histograms. Shared, so that similar histograms can be compared
/// and added.
namespace ridestream::metrics {

/// 100 µs to 5 s: calls, commits, rounds.
inline prometheus::Histogram::BucketBoundaries SecondsOfACall() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};
}

/// 1 to 4,096 items in a batch.
inline prometheus::Histogram::BucketBoundaries SizeOfABatch() {
  return {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1'024, 2'048, 4'096};
}

}  // namespace ridestream::metrics
