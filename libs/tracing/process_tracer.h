#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "libs/tracing/span.h"
#include "libs/tracing/tracer.h"

namespace ridestream::tracing {

/// What became of the spans of this process, for its metrics.
struct Figures {
  /// Spans that the collector took.
  std::uint64_t exported = 0;
  /// Spans that were lost since a queue was full, or that the collector refused or didn't get.
  std::uint64_t dropped = 0;
  std::size_t waiting = 0;
  std::size_t bound = 0;
};

/// Traces this process from now on, until it ends: neither argument is ever destroyed, since calls
/// may go on while the process ends. `figures` is called on several threads at a time. Call it
/// before there are other threads, at most once.
void UseTracer(std::shared_ptr<const Tracer> tracer, std::function<Figures()> figures);

/// The process's tracer; null while tracing is off.
const Tracer* ProcessTracer();

/// A span of the process's tracer; one that records nothing while tracing is off. Thread-safe.
Span StartSpan(std::string_view name, SpanOptions options = {});

/// Zeros while tracing is off.
Figures ProcessFigures();

}  // namespace ridestream::tracing
