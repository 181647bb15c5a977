#include "libs/tracing/tracer.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "libs/tracing/local_trace.h"

namespace ridestream::tracing {

Tracer::Tracer(Options options) : options_(std::move(options)) {}

Span Tracer::Start(std::string_view name, SpanOptions options) const {
  auto span = std::make_unique<SpanData>();
  SpanContext& context = span->context;
  if (options.parent.valid()) {
    context = std::move(options.parent);
    span->parent = context.span_id;
    if (!options.follow_parent) context.sampled = IsSampled(DrawId());
  } else {
    context.trace_id = {DrawId(), DrawId()};
    context.sampled = IsSampled(context.trace_id.low) ||
                      std::any_of(options.links.begin(), options.links.end(),
                                  [](const SpanLink& link) { return link.context.sampled; });
  }
  context.span_id = {DrawId()};
  if (!context.sampled && context.local == nullptr) {
    context.local = std::make_shared<LocalTrace>(*this, context.span_id);
  }
  span->name = name;
  span->kind = options.kind;
  span->start = options.start.value_or(Now());
  Span started(*this, std::move(span));
  for (SpanLink& link : options.links) started.AddLink(link.context, std::move(link.attributes));
  return started;
}

void Tracer::OnEnd(SpanData span) const {
  if (const std::shared_ptr<LocalTrace> local = span.context.local; local != nullptr) {
    local->OnEnd(std::move(span));
  } else {
    options_.sink->Add(std::move(span));
  }
}

std::uint64_t Tracer::DrawId() const {
  static thread_local std::mt19937_64 random{
      std::random_device()() | static_cast<std::uint64_t>(std::random_device()()) << 32};
  for (;;) {
    const std::uint64_t id = options_.draw == nullptr ? random() : options_.draw();
    if (id != 0) return id;
  }
}

bool Tracer::IsSampled(std::uint64_t random) const {
  // The 56 bits that the specification calls random, as OpenTelemetry's samplers compare them.
  constexpr int kRandomBits = 56;
  random &= (std::uint64_t{1} << kRandomBits) - 1;
  return random < static_cast<std::uint64_t>(std::ldexp(options_.ratio, kRandomBits));
}

}  // namespace ridestream::tracing
