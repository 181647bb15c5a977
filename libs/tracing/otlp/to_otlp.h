#pragma once

#include <vector>

#include "libs/tracing/span.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace ridestream::tracing {

/// A request that exports `spans`, as OTLP has it. `resource` describes the process. Text that
/// isn't UTF-8 has a question mark in the place of each byte that is wrong.
opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest ToOtlp(
    const std::vector<Attribute>& resource, const std::vector<SpanData>& spans);

}  // namespace ridestream::tracing
