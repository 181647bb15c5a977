#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ridestream::metrics::testing {

struct Series {
  std::map<std::string, std::string> labels;
  double value = 0;
};

/// A scraped metric. The series of a histogram are those of its buckets, count and sum.
struct Metric {
  std::string type;
  std::string help;
  std::vector<Series> series;
};
using Metrics = std::map<std::string, Metric>;

/// The body of a response to GET `path` from a server on this machine. UNAVAILABLE if it can't be
/// reached, INTERNAL if the status isn't 200.
absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path);

/// Parses Prometheus' text format. INVALID_ARGUMENT, with the line, for anything else.
absl::StatusOr<Metrics> ParseMetrics(const std::string& text);

/// Scrapes and parses GET /metrics.
absl::StatusOr<Metrics> ScrapeMetrics(const std::string& address);

/// The sum of a metric's series that have all these labels; 0 if there are none.
double Sum(const Metrics& metrics, const std::string& name,
           const std::map<std::string, std::string>& labels = {});

}  // namespace ridestream::metrics::testing
