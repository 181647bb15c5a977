#include "tests/e2e/traced_ride.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <variant>

#include "grpcpp/grpcpp.h"
#include "libs/process/local_services.h"
#include "libs/proto_values/proto_values.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/testing/status_matchers.h"
#include "libs/tracing/collector/trace_tree.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using ::testing::ElementsAreArray;

constexpr std::chrono::seconds kSpanPatience{30};
constexpr std::chrono::milliseconds kReadEvery{20};

/// An ordinary ride of one rider in a car that waits near by. A change of it is a change for
/// dashboards and alerts that people have made from these names.
const char* const kGolden[] = {
    "trip server ridestream.trip.v1.TripService/RequestTrip rpc.grpc.status_code=0",
    "  dispatch client ridestream.trip.v1.TripService/AdvanceTrip rpc.grpc.status_code=0",
    "    trip server ridestream.trip.v1.TripService/AdvanceTrip rpc.grpc.status_code=0",
    "      trip internal ridestream.trip.commit ridestream.trip.id=TRIP",
    "  dispatch client ridestream.trip.v1.TripService/AdvanceTrip rpc.grpc.status_code=0",
    "    trip server ridestream.trip.v1.TripService/AdvanceTrip rpc.grpc.status_code=0",
    "      trip internal ridestream.trip.commit ridestream.trip.id=TRIP",
    "  dispatch client ridestream.trip.v1.TripService/AdvanceTrip rpc.grpc.status_code=0",
    "    trip server ridestream.trip.v1.TripService/AdvanceTrip rpc.grpc.status_code=0",
    "      trip internal ridestream.trip.commit ridestream.trip.id=TRIP",
    "  dispatch internal ridestream.plan.push ridestream.market=city"
    " ridestream.plan.cause=rider_added ridestream.trip.id=TRIP",
    "  dispatch internal ridestream.plan.push ridestream.market=city"
    " ridestream.plan.cause=stop_done ridestream.trip.id=TRIP",
    "  dispatch internal ridestream.plan.push ridestream.market=city"
    " ridestream.plan.cause=stop_done ridestream.trip.id=TRIP",
    "  dispatch internal ridestream.plan.push ridestream.market=city"
    " ridestream.plan.cause=stop_done ridestream.trip.id=TRIP",
    "  dispatch internal ridestream.ride.offer ridestream.driver.id=d-1 ridestream.market=city"
    " ridestream.offer.id=OFFER ridestream.offer.outcome=accepted ridestream.trip.id=TRIP",
    "    dispatch client ridestream.trip.v1.TripService/AssignTrip rpc.grpc.status_code=0",
    "      trip server ridestream.trip.v1.TripService/AssignTrip rpc.grpc.status_code=0",
    "        trip internal ridestream.trip.commit ridestream.trip.id=TRIP",
    "    dispatch internal ridestream.offer.answer ridestream.offer.outcome=accepted",
    "    dispatch internal ridestream.offer.push ridestream.market=city ridestream.trip.id=TRIP",
    "  dispatch internal ridestream.ride.queue ridestream.market=city ridestream.trip.id=TRIP",
    "  dispatch internal ridestream.ride.round ridestream.market=city"
    " ridestream.round.candidates=1 ridestream.round.outcome=offered ridestream.trip.id=TRIP",
    "    ~ dispatch internal ridestream.matching.round ridestream.market=city"
    " ridestream.round.trips=1",
    "      dispatch client ridestream.location.v1.LocationService/FindNearest"
    " rpc.grpc.status_code=0",
    "        location server ridestream.location.v1.LocationService/FindNearest"
    " rpc.grpc.status_code=0",
    "  dispatch internal ridestream.ride.wait ridestream.market=city ridestream.trip.id=TRIP",
    "  trip internal ridestream.trip.commit ridestream.trip.id=TRIP",
    "  trip internal ridestream.trip.progress ridestream.driver.id=d-1 ridestream.trip.id=TRIP",
};

/// Ids that differ from run to run, and what stands for them in the golden tree.
using Placeholders = std::map<std::string, std::string>;

std::string ToText(const tracing::AttributeValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          return held;
        } else {
          return fmt::format("{}", held);
        }
      },
      value);
}

/// "SERVICE KIND NAME key=value ...", without the attributes that repeat the name.
std::string ToLine(const tracing::TraceNode& node, const Placeholders& placeholders) {
  static const char* const kKinds[] = {"internal", "server", "client", "producer", "consumer"};
  const tracing::SpanData& span = node.span.data;
  std::vector<std::string> attributes;
  for (const tracing::Attribute& attribute : span.attributes) {
    if (attribute.key.starts_with("rpc.") && attribute.key != "rpc.grpc.status_code") continue;
    std::string value = ToText(attribute.value);
    const auto found = placeholders.find(value);
    if (found != placeholders.end()) value = found->second;
    attributes.push_back(" " + attribute.key + "=" + value);
  }
  std::sort(attributes.begin(), attributes.end());
  std::string line = fmt::format("{}{} {} {}", node.is_linked ? "~ " : "", node.span.service,
                                 kKinds[static_cast<int>(span.kind)], span.name);
  for (const std::string& attribute : attributes) line += attribute;
  return line;
}

/// Siblings are sorted by their text, since some begin at the same time.
std::vector<std::string> ToLines(const tracing::TraceNode& node, const Placeholders& placeholders) {
  std::vector<std::vector<std::string>> children;
  for (const tracing::TraceNode& child : node.children) {
    children.push_back(ToLines(child, placeholders));
  }
  std::sort(children.begin(), children.end());
  std::vector<std::string> lines = {ToLine(node, placeholders)};
  for (const auto& child : children) {
    for (const std::string& line : child) lines.push_back("  " + line);
  }
  return lines;
}

/// Waits until location would find the driver, so that the first round does.
void WaitUntilIndexed(const std::string& location_address, LatLng place) {
  const auto stub = location::v1::LocationService::NewStub(rpc::MakeChannel(location_address));
  location::v1::FindNearestRequest request;
  request.set_market("city");
  auto& query = *request.add_queries();
  *query.mutable_center() = ToProto(place);
  query.set_radius_m(1'000);
  query.set_limit(1);
  query.add_states(location::v1::DRIVER_STATE_IDLE);
  location::v1::FindNearestResponse response;
  do {
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    rpc::SetCaller(context, {rpc::CallerKind::kService, "dispatch"});
    const grpc::Status status = stub->FindNearest(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    std::this_thread::yield();
  } while (response.results(0).drivers().empty());
}

bool Has(const tracing::CollectedSpan& span, const std::string& name, const std::string& trip_id) {
  const auto& attributes = span.data.attributes;
  return span.data.name == name &&
         std::find(attributes.begin(), attributes.end(),
                   tracing::Attribute{"ridestream.trip.id", trip_id}) != attributes.end();
}

/// The ride's spans and those of the traces that they link to.
std::vector<tracing::CollectedSpan> ReadWithLinks(const ReadTrace& read,
                                                  const tracing::TraceId& trace) {
  std::vector<tracing::CollectedSpan> spans = read(trace);
  std::vector<tracing::TraceId> linked;
  for (const tracing::CollectedSpan& span : spans) {
    for (const tracing::SpanLink& link : span.data.links) {
      const tracing::TraceId& target = link.context.trace_id;
      if (target != trace && std::find(linked.begin(), linked.end(), target) == linked.end()) {
        linked.push_back(target);
      }
    }
  }
  for (const tracing::TraceId& target : linked) {
    for (tracing::CollectedSpan& span : read(target)) spans.push_back(std::move(span));
  }
  return spans;
}

/// Reads until `is_complete` or for kSpanPatience; what was read last.
std::vector<tracing::CollectedSpan> ReadUntil(
    const ReadTrace& read, const tracing::TraceId& trace,
    const std::function<bool(const std::vector<tracing::CollectedSpan>&)>& is_complete) {
  const auto end = std::chrono::steady_clock::now() + kSpanPatience;
  for (;;) {
    std::vector<tracing::CollectedSpan> spans = ReadWithLinks(read, trace);
    if (is_complete(spans) || std::chrono::steady_clock::now() > end) return spans;
    std::this_thread::sleep_for(kReadEvery);
  }
}

}  // namespace

void ExpectRideTrace(const std::string& trace_to, const ReadTrace& read) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  const std::string flag = "--trace_to=" + trace_to;
  const auto services =
      process::LocalServices::Start({.bin = bin,
                                     .trip_flags = {flag},
                                     .location_flags = {flag},
                                     .dispatch_flags = {flag, "--match_every=200ms"},
                                     .insecure = true});
  ASSERT_THAT(services, ridestream::testing::IsOk());
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, ridestream::testing::IsOk());
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet((*streets)->graph(), random);
  const LatLng to = roads::RandomPointOnStreet((*streets)->graph(), random);

  trip::v1::Trip trip;
  dispatch::v1::Offer offer;
  std::optional<tracing::SpanContext> context;
  {
    TestDriver driver((*services)->dispatch(), "d-1", OffsetBy(from, 50, 0));
    WaitUntilIndexed((*services)->location(), from);
    TestRider rider((*services)->trip(), "r-1");
    trip = rider.Request(rider.Quote(from, to), "first");
    offer = driver.WaitForOffer();
    driver.Answer(offer, true);
    driver.WaitForPlan(dispatch::v1::PLAN_CAUSE_RIDER_ADDED);
    rider.WaitFor(trip::v1::DRIVER_STATUS_CONNECTED);
    for (const auto action :
         {dispatch::v1::STOP_ACTION_ARRIVED, dispatch::v1::STOP_ACTION_PICKED_UP,
          dispatch::v1::STOP_ACTION_DROPPED_OFF}) {
      driver.Do(trip.trip_id(), action);
      driver.WaitForPlan(dispatch::v1::PLAN_CAUSE_STOP_DONE);
    }
    rider.WaitFor(trip::v1::TRIP_STATE_COMPLETED);
    context = tracing::ParseTraceContext(trip.traceparent());
    ASSERT_TRUE(context) << trip.traceparent();
    // The driver's acks of the plans end their spans.
    ReadUntil(read, context->trace_id, [&trip](const auto& spans) {
      return std::count_if(spans.begin(), spans.end(), [&trip](const auto& span) {
               return Has(span, "ridestream.plan.push", trip.trip_id());
             }) >= 4;
    });
  }
  ASSERT_THAT((*services)->Stop(), ridestream::testing::IsOk());

  const auto spans = ReadUntil(read, context->trace_id, [](const auto& found) {
    return found.size() >= std::size(kGolden);
  });
  const auto roots = tracing::BuildTraceTree(spans, context->trace_id);
  ASSERT_EQ(roots.size(), 1u) << tracing::FormatTraceTree(roots);
  const Placeholders placeholders = {{trip.trip_id(), "TRIP"}, {offer.offer_id(), "OFFER"}};
  EXPECT_THAT(ToLines(roots.front(), placeholders), ElementsAreArray(kGolden))
      << tracing::FormatTraceTree(roots);
}

}  // namespace ridestream::e2e
