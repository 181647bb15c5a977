#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/tracing/collector/span_collector.h"

namespace ridestream::e2e {

/// The spans of a trace that a collector has so far; none when it doesn't know the trace.
using ReadTrace = std::function<std::vector<tracing::CollectedSpan>(const tracing::TraceId&)>;

/// Lets one rider take an ordinary ride with a car that waits near by, in services that send their
/// spans to the collector at `trace_to` (HOST:PORT), and compares the ride's trace with the spans
/// that docs/tracing.md promises: names, kinds, parents, links and attributes. Fails the test where
/// they differ. `read` is called again until it has returned all of them, or for 30 s.
void ExpectRideTrace(const std::string& trace_to, const ReadTrace& read);

}  // namespace ridestream::e2e
