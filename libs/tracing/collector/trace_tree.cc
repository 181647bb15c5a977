#include "libs/tracing/collector/trace_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace ridestream::tracing {
namespace {

bool BeganBefore(const TraceNode& one, const TraceNode& other) {
  return one.span.data.start < other.span.data.start;
}

class Builder {
 public:
  explicit Builder(const std::vector<CollectedSpan>& spans) : spans_(spans) {}

  bool Has(const TraceId& trace, const SpanId& id) const {
    return std::any_of(spans_.begin(), spans_.end(), [&](const CollectedSpan& span) {
      return span.data.context.trace_id == trace && span.data.context.span_id == id;
    });
  }

  TraceNode Build(const CollectedSpan& span, bool follows_links) const {
    TraceNode node{span};
    const SpanContext& context = span.data.context;
    for (const CollectedSpan& other : spans_) {
      const SpanContext& candidate = other.data.context;
      if (candidate.trace_id == context.trace_id && other.data.parent == context.span_id &&
          candidate.span_id != context.span_id) {
        node.children.push_back(Build(other, follows_links));
      }
      for (const SpanLink& link : span.data.links) {
        const bool is_target = link.context.trace_id == candidate.trace_id &&
                               link.context.span_id == candidate.span_id;
        if (!follows_links || !is_target || candidate.trace_id == context.trace_id) continue;
        node.children.push_back(Build(other, false));
        node.children.back().is_linked = true;
      }
    }
    std::stable_sort(node.children.begin(), node.children.end(), BeganBefore);
    return node;
  }

 private:
  const std::vector<CollectedSpan>& spans_;
};

void AppendLines(const TraceNode& node, Time origin, int depth, std::string& lines) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const SpanData& span = node.span.data;
  fmt::format_to(std::back_inserter(lines), "{:>10.1f} {:>10.1f}  {:<9} {:{}}{}{}{}\n",
                 Milliseconds(span.start - origin).count(),
                 Milliseconds(span.end - span.start).count(), node.span.service, "", 2 * depth,
                 node.is_linked ? "~ " : "", span.name,
                 span.status == SpanStatus::kError ? "  ERROR " + span.status_message : "");
  for (const TraceNode& child : node.children) AppendLines(child, origin, depth + 1, lines);
}

}  // namespace

std::vector<TraceNode> BuildTraceTree(const std::vector<CollectedSpan>& spans,
                                      const TraceId& trace) {
  const Builder builder(spans);
  std::vector<TraceNode> roots;
  for (const CollectedSpan& span : spans) {
    if (span.data.context.trace_id != trace || builder.Has(trace, span.data.parent)) continue;
    roots.push_back(builder.Build(span, true));
  }
  std::stable_sort(roots.begin(), roots.end(), BeganBefore);
  return roots;
}

std::string FormatTraceTree(const std::vector<TraceNode>& roots) {
  std::string lines =
      fmt::format("{:>10} {:>10}  {:<9} {}\n", "start ms", "took ms", "service", "span");
  if (roots.empty()) return lines;
  const Time origin = roots.front().span.data.start;
  for (const TraceNode& root : roots) AppendLines(root, origin, 0, lines);
  return lines;
}

}  // namespace ridestream::tracing
