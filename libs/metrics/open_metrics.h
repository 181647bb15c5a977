#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/metrics/exemplars.h"
#include "prometheus/metric_family.h"

namespace ridestream::metrics {

/// The media type of what ToOpenMetrics returns.
inline constexpr char kOpenMetricsType[] =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the request's header `Accept` asks for OpenMetrics at least as much as for Prometheus'
/// text format.
bool AcceptsOpenMetrics(std::string_view accept);

/// The metrics in OpenMetrics' text format, https://prometheus.io/docs/specs/om/open_metrics_spec/,
/// with the exemplars of histograms' buckets. A counter whose name doesn't end in "_total" has the
/// type "unknown", since the format would change its name.
std::string ToOpenMetrics(const std::vector<prometheus::MetricFamily>& families,
                          const Exemplars& exemplars);

}  // namespace ridestream::metrics
