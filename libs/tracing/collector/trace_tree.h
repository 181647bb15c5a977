#pragma once

#include <string>
#include <vector>

#include "libs/tracing/collector/span_collector.h"

namespace ridestream::tracing {

/// A span with its children, in the order in which they began.
struct TraceNode {
  CollectedSpan span;
  std::vector<TraceNode> children = {};
  /// The first span of another trace, to which its parent here has a link.
  bool is_linked = false;
};

/// The trace's spans whose parents aren't among `spans`, each with all below it. The trace of a
/// span to which one of them links is shown below that one; the links of linked traces aren't
/// followed.
std::vector<TraceNode> BuildTraceTree(const std::vector<CollectedSpan>& spans,
                                      const TraceId& trace);

/// A line for each span: its start, counted from the earliest one, its duration, its service, and
/// its name, indented below its parent's. A linked span is marked with "~". Ends with a line break.
std::string FormatTraceTree(const std::vector<TraceNode>& roots);

}  // namespace ridestream::tracing
