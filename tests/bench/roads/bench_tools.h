#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "libs/roads/streets.h"

namespace ridestream::roads {

/// Random places; the same seed gives the same places.
class Places {
 public:
  Places(const Streets& streets, std::uint64_t seed) : streets_(streets), random_(seed) {}

  /// Some metres beside a street, like GPS positions.
  std::vector<LatLng> Draw(std::size_t count) {
    std::vector<LatLng> places;
    places.reserve(count);
    std::uniform_real_distribution<double> off_m(-15, 15);
    while (places.size() < count) {
      const LatLng on_street = RandomPointOnStreet(streets_.graph(), random_);
      places.push_back(OffsetBy(on_street, off_m(random_), off_m(random_)));
    }
    return places;
  }
  std::vector<SnappedPoint> Snap(const std::vector<LatLng>& places) const {
    std::vector<SnappedPoint> points;
    points.reserve(places.size());
    for (const LatLng place : places) points.push_back(*streets_.snapper().Nearest(place));
    return points;
  }

 private:
  const Streets& streets_;
  std::mt19937_64 random_;
};

/// CPU time of this thread in microseconds. It excludes other processes.
inline double ThreadMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Times of single actions, in microseconds of this thread.
class Timings {
 public:
  template <class Action>
  void Measure(Action action) {
    const double start = ThreadMicros();
    action();
    us_.push_back(ThreadMicros() - start);
  }
  double Quantile(double q) const {
    std::vector<double> sorted = us_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
  }

 private:
  std::vector<double> us_;
};

}  // namespace ridestream::roads
