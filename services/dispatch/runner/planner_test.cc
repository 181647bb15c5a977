#include "services/dispatch/runner/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "libs/testing/status_matchers.h"
#include "services/dispatch/runner/testing/manual_executor.h"

namespace ridestream::dispatch {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

/// Keeps what location is asked, for the test to answer.
struct Questions {
  std::vector<location::v1::FindNearestRequest> requests;
  std::vector<LocationPort::Done> done;
};

class FakeLocation final : public LocationPort {
 public:
  explicit FakeLocation(Questions& questions) : questions_(questions) {}
  void FindNearest(location::v1::FindNearestRequest request, const CallOptions&,
                   Done done) override {
    questions_.requests.push_back(std::move(request));
    questions_.done.push_back(std::move(done));
  }

 private:
  Questions& questions_;
};

class PlannerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto streets = roads::Streets::Load("city:1");
    ASSERT_THAT(streets, IsOk());
    streets_ = *std::move(streets);
    planner_ = std::make_unique<Planner>(PlannerConfig(), "city", *streets_,
                                         std::make_unique<FakeLocation>(location_), executor_,
                                         [this](Event event) { answers_.push_back(event); });
  }
  LatLng Somewhere() { return roads::RandomPointOnStreet(streets_->graph(), random_); }
  FindCandidates Round(std::uint64_t number, std::size_t trips) {
    FindCandidates question;
    question.round = number;
    for (std::size_t i = 0; i < trips; ++i) {
      FindCandidates::Query& query = question.queries.emplace_back();
      query.trip = TripId("t-" + std::to_string(i));
      query.pickup = Somewhere();
      query.party_size = 2;
      query.radius_m = 2'000;
    }
    return question;
  }
  const CandidatesFound& Found(std::size_t answer) {
    return std::get<CandidatesFound>(answers_.at(answer));
  }

  std::mt19937_64 random_{1};
  std::unique_ptr<roads::Streets> streets_;
  ManualExecutor executor_;
  Questions location_;
  std::vector<Event> answers_;
  std::unique_ptr<Planner> planner_;
};

TEST_F(PlannerTest, LocationIsAskedForEachTripAndItsDriversBecomeCandidates) {
  planner_->Find(Round(7, 2));
  ASSERT_EQ(location_.requests.size(), 1u);
  const location::v1::FindNearestRequest& request = location_.requests.front();
  EXPECT_EQ(request.market(), "city");
  ASSERT_EQ(request.queries_size(), 2);
  EXPECT_EQ(request.queries(0).radius_m(), 2'000u);
  EXPECT_EQ(request.queries(0).limit(), PlannerConfig().candidates);
  EXPECT_EQ(request.queries(0).min_free_seats(), 2u);
  EXPECT_THAT(request.queries(0).states(), ElementsAre(location::v1::DRIVER_STATE_IDLE));

  location::v1::FindNearestResponse response;
  response.add_results();
  auto& driver = *response.add_results()->add_drivers();
  driver.set_driver_id("d-1");
  *driver.mutable_position() = request.queries(1).center();
  location_.done.front()(response);
  EXPECT_TRUE(answers_.empty());
  executor_.RunAll();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(Found(0).round, 7u);
  ASSERT_THAT(Found(0).trips, IsOk());
  ASSERT_EQ(Found(0).trips->size(), 2u);
  EXPECT_TRUE(Found(0).trips->at(0).candidates.empty());
  ASSERT_EQ(Found(0).trips->at(1).candidates.size(), 1u);
  EXPECT_EQ(Found(0).trips->at(1).candidates.front().driver, DriverId("d-1"));
}

TEST_F(PlannerTest, RoundFailsWhenLocationFailsOrLeavesAQuestionUnanswered) {
  planner_->Find(Round(1, 1));
  location_.done.at(0)(absl::UnavailableError("down"));
  planner_->Find(Round(2, 2));
  location::v1::FindNearestResponse one;
  one.add_results();
  location_.done.at(1)(one);
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_EQ(Found(0).round, 1u);
  EXPECT_EQ(Found(0).trips.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Found(1).round, 2u);
  EXPECT_EQ(Found(1).trips.status().code(), absl::StatusCode::kInternal);
}

TEST_F(PlannerTest, RoundOfMovesAloneDoesNotAskLocation) {
  planner_->Find(Round(3, 0));
  executor_.RunAll();
  EXPECT_TRUE(location_.requests.empty());
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(Found(0).round, 3u);
  EXPECT_THAT(Found(0).trips, IsOk());
}

TEST_F(PlannerTest, RouteOvertakesARoundUnderWay) {
  planner_->Find(Round(4, 3));
  location::v1::FindNearestResponse response;
  for (int i = 0; i < 3; ++i) {
    auto& driver = *response.add_results()->add_drivers();
    driver.set_driver_id("d-1");
    *driver.mutable_position() = location_.requests.front().queries(i).center();
  }
  location_.done.front()(response);
  (void)executor_.RunOnce();
  EXPECT_TRUE(answers_.empty());
  FindRoute question;
  question.driver = DriverId("d-2");
  question.request = 9;
  question.from = Somewhere();
  question.stops = {Somewhere()};
  planner_->Find(std::move(question));
  executor_.RunAll();
  ASSERT_EQ(answers_.size(), 2u);
  const auto& route = std::get<RouteFound>(answers_.front());
  EXPECT_EQ(route.request, 9u);
  EXPECT_THAT(route.way, IsOk());
  EXPECT_EQ(Found(1).round, 4u);
}

}  // namespace
}  // namespace ridestream::dispatch
