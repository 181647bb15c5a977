#include "loadtest/rider/crowd.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"

namespace ridestream::loadtest {
namespace {

namespace pb = ::ridestream::trip::v1;

/// Every trip is served immediately. The first response of each rider's RequestTrip is lost after
/// the request was carried out, as when the service dies before it answers.
class FakeTrip final : public pb::TripService::Service {
 public:
  grpc::Status QuoteTrip(grpc::ServerContext*, const pb::QuoteTripRequest* request,
                         pb::QuoteTripResponse* response) override {
    if (request->party_size() > 4) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "party_size: too many"};
    }
    response->set_quote_id("q");
    response->mutable_fare()->mutable_total()->set_amount_minor(700);
    return grpc::Status::OK;
  }
  grpc::Status RequestTrip(grpc::ServerContext*, const pb::RequestTripRequest* request,
                           pb::RequestTripResponse* response) override {
    MutexLock lock(mu_);
    if (request_ids_.insert(request->request_id()).second) {
      return {grpc::StatusCode::UNAVAILABLE, "died"};
    }
    response->mutable_trip()->set_trip_id("trip-of-" + request->request_id());
    response->mutable_trip()->set_state(pb::TRIP_STATE_REQUESTED);
    response->mutable_trip()->set_version(1);
    return grpc::Status::OK;
  }
  grpc::Status WatchTrip(grpc::ServerContext*, const pb::WatchTripRequest* request,
                         grpc::ServerWriter<pb::WatchTripResponse>* writer) override {
    std::uint64_t version = 1;
    for (const auto state :
         {pb::TRIP_STATE_REQUESTED, pb::TRIP_STATE_ASSIGNED, pb::TRIP_STATE_ARRIVED,
          pb::TRIP_STATE_ABOARD, pb::TRIP_STATE_COMPLETED}) {
      pb::WatchTripResponse response;
      response.mutable_trip()->set_trip_id(request->trip_id());
      response.mutable_trip()->set_state(state);
      response.mutable_trip()->set_version(version++);
      writer->Write(response);
    }
    return grpc::Status::OK;
  }
  size_t requests() {
    MutexLock lock(mu_);
    return request_ids_.size();
  }

 private:
  Mutex mu_;
  std::set<std::string> request_ids_ ABSL_GUARDED_BY(mu_);
};

class ListedDemand final : public Demand {
 public:
  explicit ListedDemand(std::vector<Request> requests) : requests_(std::move(requests)) {}
  std::optional<Request> Next() override {
    return next_ == requests_.size() ? std::nullopt : std::optional(requests_[next_++]);
  }

 private:
  const std::vector<Request> requests_;
  size_t next_ = 0;
};

roads::RoadGraph OneStreet() {
  const LatLng origin{400'000'000, -740'000'000};
  return roads::RoadGraph({origin, OffsetBy(origin, 0, 1000)},
                          {{0, 1, 10'000, 100'000, 0}, {1, 0, 10'000, 100'000, 0}}, {""}, 2);
}

TEST(CrowdTest, EachRiderGetsOneTripThoughAnswersAreLost) {
  FakeTrip trip;
  auto server = rpc::Server::Start({.services = {&trip}});
  ASSERT_TRUE(server.ok()) << server.status();
  const roads::RoadGraph graph = OneStreet();
  constexpr double kRate = 50;
  Tally tally;
  FirstOffers first_offers;
  TimerQueue timers;
  RiderWorld world{"city", {}, std::make_shared<ScaledClock>(kRate), timers, tally, first_offers};
  world.habits.cancel_probability = 0;
  world.habits.change_destination_probability = 0;
  world.habits.repeat_request_probability = 1;
  constexpr std::uint64_t kRiders = 20;
  std::vector<Request> requests(kRiders);
  for (std::uint64_t i = 0; i < kRiders; ++i) requests[i].due = std::chrono::milliseconds(i);
  requests.push_back({std::chrono::milliseconds(30), {}, {}, 5});
  requests.push_back({std::chrono::hours(2), {}, {}, 1});  // After the load's end.
  Crowd crowd(
      {.id_prefix = "r", .make_channel = [&](int) { return (*server)->InProcessChannel(); }}, world,
      graph, std::make_unique<ListedDemand>(requests));
  crowd.Start(std::chrono::hours(1));
  crowd.WaitUntilIdle();
  crowd.Stop();
  EXPECT_EQ(tally.requested, kRiders + 1);
  EXPECT_EQ(tally.completed, kRiders);
  EXPECT_EQ(tally.refused, 1u);
  EXPECT_GE(tally.calls_retried, kRiders);
  EXPECT_EQ(trip.requests(), kRiders);
  std::set<RiderId> riders;
  crowd.ForEachHistory([&](const RiderHistory& history) {
    riders.insert(history.id);
    EXPECT_EQ(history.other_trip_answers, 0u);
    if (history.refusal) return;
    EXPECT_EQ(history.answers, 2u);
    EXPECT_EQ(history.trip_id.str(), "trip-of-" + history.id.str() + "-request");
    EXPECT_EQ(history.states.back(), pb::TRIP_STATE_COMPLETED);
  });
  EXPECT_EQ(riders.size(), kRiders + 1);
}

TEST(CrowdTest, StopEndsRidersWhoAreStillWaiting) {
  // Nothing listens there, so calls wait for retries forever.
  const auto nowhere = rpc::MakeChannel("127.0.0.1:1");
  const roads::RoadGraph graph = OneStreet();
  Tally tally;
  FirstOffers first_offers;
  TimerQueue timers;
  const RiderWorld world{"city", {}, std::make_shared<ScaledClock>(), timers, tally, first_offers};
  Crowd crowd({.id_prefix = "r", .make_channel = [&](int) { return nowhere; }}, world, graph,
              std::make_unique<ListedDemand>(std::vector<Request>(3)));
  crowd.Start(std::chrono::hours(1));
  crowd.Stop();
  EXPECT_EQ(crowd.active(), 0u);
  size_t histories = 0;
  crowd.ForEachHistory([&](const RiderHistory& history) {
    ++histories;
    EXPECT_TRUE(history.trip_id.empty());
  });
  EXPECT_EQ(histories, tally.requested);
}

}  // namespace
}  // namespace ridestream::loadtest
