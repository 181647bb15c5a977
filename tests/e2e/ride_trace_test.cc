// The spans of one ride through all services are a public interface, listed in docs/tracing.md.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/process/local_services.h"
#include "libs/proto_values/proto_values.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/testing/status_matchers.h"
#include "libs/tracing/collector/span_collector.h"
#include "libs/tracing/collector/trace_tree.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "tests/e2e/test_driver.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using ::testing::ElementsAreArray;

/// An ordinary ride of one rider in a car that waits nearby. A change breaks dashboards and alerts
/// that use these names.
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

/// Ids that differ between runs, and their placeholders in the golden tree.
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

/// Siblings are sorted by their text, because some begin at the same time.
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

/// Waits until location finds the driver, so that the first round does too.
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

/// Waits for the driver's acks of these plans, which end their spans.
void WaitForPlanSpans(const tracing::SpanCollector& collector, const std::string& trip_id,
                      std::ptrdiff_t count) {
  const auto is_of_trip = [&](const tracing::CollectedSpan& span) {
    return span.data.name == "ridestream.plan.push" &&
           std::find(span.data.attributes.begin(), span.data.attributes.end(),
                     tracing::Attribute{"ridestream.trip.id", trip_id}) !=
               span.data.attributes.end();
  };
  for (;;) {
    const auto spans = collector.spans();
    if (std::count_if(spans.begin(), spans.end(), is_of_trip) >= count) return;
    std::this_thread::yield();
  }
}

TEST(RideTraceTest, OneRideIsOneTraceThroughAllServices) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  tracing::SpanCollector collector;
  const auto server = rpc::Server::Start({.services = {&collector}});
  ASSERT_THAT(server, ridestream::testing::IsOk());
  const std::string trace_to = "--trace_to=" + (*server)->address();
  const auto services =
      process::LocalServices::Start({.bin = bin,
                                     .trip_flags = {trace_to},
                                     .location_flags = {trace_to},
                                     .dispatch_flags = {trace_to, "--match_every=200ms"},
                                     .insecure = true});
  ASSERT_THAT(services, ridestream::testing::IsOk());
  const auto streets = roads::Streets::Load("city:1");
  ASSERT_THAT(streets, ridestream::testing::IsOk());
  std::mt19937_64 random(7);
  const LatLng from = roads::RandomPointOnStreet((*streets)->graph(), random);
  const LatLng to = roads::RandomPointOnStreet((*streets)->graph(), random);

  trip::v1::Trip trip;
  dispatch::v1::Offer offer;
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
    WaitForPlanSpans(collector, trip.trip_id(), 4);
  }
  ASSERT_THAT((*services)->Stop(), ridestream::testing::IsOk());

  const auto context = tracing::ParseTraceContext(trip.traceparent());
  ASSERT_TRUE(context) << trip.traceparent();
  const auto roots = tracing::BuildTraceTree(collector.spans(), context->trace_id);
  ASSERT_EQ(roots.size(), 1u) << tracing::FormatTraceTree(roots);
  const Placeholders placeholders = {{trip.trip_id(), "TRIP"}, {offer.offer_id(), "OFFER"}};
  EXPECT_THAT(ToLines(roots.front(), placeholders), ElementsAreArray(kGolden))
      << tracing::FormatTraceTree(roots);
}

}  // namespace
}  // namespace ridestream::e2e
