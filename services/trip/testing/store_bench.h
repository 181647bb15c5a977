#pragma once

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/mutex.h"
#include "services/trip/domain/trip_store.h"
#include "services/trip/testing/trip_samples.h"

/// What the benchmarks of the stores share.
namespace ridestream::trip::testing {

inline void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status.ToString() << '\n';
  std::abort();
}

template <class T>
T Must(absl::StatusOr<T> result) {
  Must(result.status());
  return *std::move(result);
}

inline std::string Name(char prefix, std::int64_t number) {
  return fmt::format("{}-{:012}", prefix, number);
}

/// Where files are made whose sync must cost what a disk's costs: TMPDIR, or /var/tmp, since /tmp
/// may be in memory.
inline std::string DiskFolder() {
  const char* named = std::getenv("TMPDIR");
  return named == nullptr ? "/var/tmp" : named;
}

inline double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

class Stopwatch {
 public:
  double RateOf(std::int64_t trips) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    return static_cast<double>(trips) / passed.count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Keeps two batches under way: one being committed, one waiting.
class StoreClient {
 public:
  StoreClient(std::unique_ptr<TripStore> store, std::int64_t batch)
      : max_outstanding_(2 * batch), store_(std::move(store)) {}

  void SaveQuote(Quote quote) {
    Begin();
    store_->SaveQuote(std::move(quote), [this](const absl::Status& status) { End(status); });
  }
  void Submit(Command command) {
    Begin();
    store_->Submit(std::move(command),
                   [this](const absl::StatusOr<TripPtr>& trip) { End(trip.status()); });
  }
  void AwaitAll() { AwaitAtMost(0); }

 private:
  void Begin() {
    if (outstanding_.fetch_add(1) + 1 >= max_outstanding_) AwaitAtMost(max_outstanding_ / 2);
  }
  // Only the two counts that the submitter waits for cost the store's thread more than an atomic.
  void End(const absl::Status& status) {
    Must(status);
    const std::int64_t left = outstanding_.fetch_sub(1) - 1;
    if (left != 0 && left != max_outstanding_ / 2) return;
    MutexLock lock(mu_);
    ended_.Signal();
  }
  void AwaitAtMost(std::int64_t count) {
    MutexLock lock(mu_);
    while (outstanding_.load() > count) ended_.Wait(mu_);
  }

  const std::int64_t max_outstanding_;
  Mutex mu_;
  CondVar ended_;
  std::atomic<std::int64_t> outstanding_ = 0;
  const std::unique_ptr<TripStore> store_;
};

inline std::int64_t TripsFor(std::int64_t batch) {
  return std::max<std::int64_t>(batch * 20, 2'000);
}

inline void RequestAll(StoreClient& client, std::int64_t trips) {
  for (std::int64_t i = 0; i < trips; ++i) {
    client.Submit(SampleRequest(Name('t', i), Name('r', i), Name('q', i)));
  }
  client.AwaitAll();
}

inline void QuoteAll(StoreClient& client, std::int64_t trips) {
  for (std::int64_t i = 0; i < trips; ++i) {
    client.SaveQuote(SampleQuote(Name('q', i), Name('r', i), ScaledClock::kAnchor));
  }
  client.AwaitAll();
}

inline void AssignAll(StoreClient& client, std::int64_t trips) {
  for (std::int64_t i = 0; i < trips; ++i) {
    client.Submit(SampleAssign(Name('t', i), Name('d', i), Name('o', i)));
  }
  client.AwaitAll();
}

inline void Batches(benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t batch : {1, 16, 128, 512}) benchmark->Arg(batch);
  // Each run fills a fresh file; the medians are what counts, since the disk is shared with others.
  benchmark->ArgName("batch")->Iterations(1)->Repetitions(5)->ReportAggregatesOnly();
  benchmark->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);
}

}  // namespace ridestream::trip::testing
