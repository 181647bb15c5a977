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

/// A metric as it was scraped. The series of a histogram are those of its buckets, count and sum.
struct Metric {
  std::string type;
  std::string help;
  std::vector<Series> series;
};
using Metrics = std::map<std::string, Metric>;

/// The body that a server on this machine answers GET `path` with. UNAVAILABLE when it can't be
/// reached, INTERNAL when it doesn't answer 200.
absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path);

/// Reads Prometheus' text format. INVALID_ARGUMENT names the line that isn't of it.
absl::StatusOr<Metrics> ParseMetrics(const std::string& text);

/// GET /metrics, read.
absl::StatusOr<Metrics> ScrapeMetrics(const std::string& address);

/// The sum of a metric's series that have all of these labels; 0 when there is none.
double Sum(const Metrics& metrics, const std::string& name,
           const std::map<std::string, std::string>& labels = {});

}  // namespace ridestream::metrics::testing
