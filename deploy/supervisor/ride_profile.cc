#include "deploy/supervisor/ride_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "libs/tracing/collector/trace_tree.h"

namespace ridestream::supervisor {
namespace {

// Enough for one of them to be completed, whatever drivers and riders do.
constexpr int kTracedRides = 20;
// ARRIVED, ABOARD and COMPLETED. Only a completed trip has made all of them.
constexpr int kStepsOfARide = 3;

bool IsServed(const tracing::CollectedSpan& span, std::string_view method) {
  return span.data.kind == tracing::SpanKind::kServer && span.data.name == method &&
         std::find(span.data.attributes.begin(), span.data.attributes.end(),
                   tracing::Attribute{"rpc.grpc.status_code", std::int64_t{0}}) !=
             span.data.attributes.end();
}

bool IsCompleted(const std::vector<tracing::CollectedSpan>& spans, const tracing::TraceId& trace) {
  const auto steps = std::count_if(spans.begin(), spans.end(), [&](const auto& span) {
    return span.data.context.trace_id == trace &&
           IsServed(span, "ridestream.trip.v1.TripService/AdvanceTrip");
  });
  return steps >= kStepsOfARide;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RideProfile>> RideProfile::Start() {
  std::unique_ptr<RideProfile> profile(new RideProfile());
  auto server = rpc::Server::Start({.services = {&profile->collector_}});
  if (!server.ok()) return server.status();
  profile->server_ = *std::move(server);
  return profile;
}

void RideProfile::AddFlags(process::LocalServices::Options& options) const {
  for (auto* flags : {&options.trip_flags, &options.location_flags, &options.dispatch_flags,
                      &options.gateway_flags}) {
    flags->push_back("--trace_to=" + server_->address());
    flags->push_back("--trace_sample=0");
  }
}

std::map<std::string, std::string> RideProfile::LoadEnvironment() const {
  return {{"RIDESTREAM_TRACE_RIDES", std::to_string(kTracedRides)}};
}

absl::StatusOr<std::string> RideProfile::Describe() const {
  std::vector<tracing::CollectedSpan> spans = collector_.spans();
  std::stable_sort(spans.begin(), spans.end(), [](const auto& one, const auto& other) {
    return one.data.start < other.data.start;
  });
  for (const tracing::CollectedSpan& span : spans) {
    if (!IsServed(span, "ridestream.trip.v1.TripService/RequestTrip")) continue;
    const tracing::TraceId& trace = span.data.context.trace_id;
    if (!IsCompleted(spans, trace)) continue;
    return fmt::format(
        "one completed ride, trace {}; times are on the wall clock, and ~ marks a linked trace\n{}",
        trace.ToHex(), tracing::FormatTraceTree(tracing::BuildTraceTree(spans, trace)));
  }
  return absl::NotFoundError(
      fmt::format("--profile_one_ride: none of the first {} requests became a completed ride; let "
                  "the load run for longer (--seconds)",
                  kTracedRides));
}

}  // namespace ridestream::supervisor
