// The handlers over a store in memory and transports of the test's, with real threads: what gRPC
// does around them is tested in rpc/.

#include "services/trip/handlers/trip_handlers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <future>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "libs/rpc/stale_term.h"
#include "libs/server_streams/testing/reading_client.h"
#include "libs/testing/status_matchers.h"
#include "services/trip/storage/memory_trip_store.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::SizeIs;

template <class Message>
using Reader = streams::testing::ReadingClient<Message>;

class FixedRouter final : public QuoteRouter {
 public:
  absl::StatusOr<Way> FindWay(LatLng, LatLng) const override {
    return Way{4'000, std::chrono::minutes(10)};
  }
};

const identity::Principal kRider{identity::Role::kRider, "r"};
const identity::Principal kService{identity::Role::kService, "dispatch"};

class TripHandlersTest : public ::testing::Test {
 protected:
  static constexpr size_t kTail = 8;
  static constexpr size_t kPage = 3;

  template <class Response>
  struct Answer {
    std::promise<absl::StatusOr<Response>> promise;
    auto Reply() {
      return [this](const absl::StatusOr<Response>& answer) { promise.set_value(answer); };
    }
    absl::StatusOr<Response> Get() { return promise.get_future().get(); }
  };

  absl::StatusOr<v1::QuoteTripResponse> Quote(const identity::Principal& rider) {
    v1::QuoteTripRequest request;
    request.set_market(kMarket);
    *request.mutable_pickup() = ToProto(LatLng{407'000'000, -739'000'000});
    *request.mutable_dropoff() = ToProto(LatLng{407'500'000, -739'000'000});
    request.set_party_size(1);
    Answer<v1::QuoteTripResponse> answer;
    handlers_.QuoteTrip({.caller = rider}, request, answer.Reply());
    return answer.Get();
  }
  absl::StatusOr<TripPtr> Request(const identity::Principal& rider, const std::string& quote) {
    v1::RequestTripRequest request;
    request.set_request_id("request-" + quote);
    request.set_quote_id(quote);
    Answer<TripPtr> answer;
    handlers_.RequestTrip({.caller = rider}, request, answer.Reply());
    return answer.Get();
  }
  std::string NewTrip(const std::string& rider) {
    const identity::Principal who{identity::Role::kRider, rider};
    const auto trip = Request(who, Quote(who)->quote_id());
    EXPECT_THAT(trip, IsOk());
    return (*trip)->trip_id();
  }
  absl::StatusOr<TripPtr> Cancel(const identity::Principal& caller, const std::string& trip) {
    v1::CancelTripRequest request;
    request.set_request_id("cancel-" + trip);
    request.set_trip_id(trip);
    request.set_reason(v1::CANCEL_REASON_CHANGED_MIND);
    Answer<TripPtr> answer;
    handlers_.CancelTrip({.caller = caller}, request, answer.Reply());
    return answer.Get();
  }
  /// Where there never was a lease.
  void Assign(const std::string& trip) {
    v1::AssignTripRequest assign;
    assign.set_trip_id(trip);
    assign.set_offer_id("o");
    *assign.mutable_driver() = SampleDriver("d");
    assign.set_seats(4);
    Answer<TripPtr> assigned;
    handlers_.Carry({.caller = kService}, assign, assigned.Reply());
    EXPECT_THAT(assigned.Get(), IsOk());
  }
  /// Takes the market's lease; each time makes a new term.
  void AcquireLease() {
    v1::AcquireLeaseRequest request;
    request.set_market(kMarket);
    request.set_holder("p-1");
    request.mutable_duration()->set_seconds(60);
    Answer<v1::AcquireLeaseResponse> answer;
    handlers_.AcquireLease({.caller = kService}, request, answer.Reply());
    EXPECT_THAT(answer.Get(), IsOk());
  }
  static v1::ReportProgressRequest Report(const std::string& trip, std::uint64_t term = 0) {
    v1::ReportProgressRequest report;
    v1::TripProgress& entry = *report.add_trips();
    entry.set_trip_id(trip);
    entry.set_market(kMarket);
    entry.set_term(term);
    *entry.mutable_progress()->mutable_driver_position() =
        ToProto(LatLng{407'000'000, -739'000'000});
    return report;
  }
  static v1::FollowTripsRequest After(std::uint64_t sequence) {
    v1::FollowTripsRequest request;
    request.add_markets(kMarket);
    request.set_after_sequence(sequence);
    return request;
  }
  static std::vector<std::uint64_t> SequencesOf(
      const std::vector<v1::FollowTripsResponse>& messages) {
    std::vector<std::uint64_t> sequences;
    for (const auto& message : messages) {
      if (message.has_event()) sequences.push_back(message.event().sequence());
    }
    return sequences;
  }

  ManualClock clock_;
  ThreadExecutor executor_;
  FixedRouter router_;
  TripFeed feed_{kTail};
  SurgeTable surge_;
  KnownTerms terms_;
  MemoryTripStore store_{clock_,
                         [this](const std::vector<EventPtr>& events) { feed_.Publish(events); }};
  TripHandlers handlers_{{.store = store_,
                          .feed = feed_,
                          .surge = surge_,
                          .terms = terms_,
                          .clock = clock_,
                          .executor = executor_,
                          .markets = {{kMarket, &router_}},
                          .tariff = SampleTariff(),
                          .sharing = {},
                          .page_events = kPage}};
};

TEST_F(TripHandlersTest, CarriesARidersTripFromTheQuoteToItsEnd) {
  const auto quote = Quote(kRider);
  ASSERT_THAT(quote, IsOk());
  EXPECT_GT(quote->fare().total().amount_minor(), 0);
  const auto trip = Request(kRider, quote->quote_id());
  ASSERT_THAT(trip, IsOk());
  // The same again, the same trip.
  EXPECT_EQ((*Request(kRider, quote->quote_id()))->trip_id(), (*trip)->trip_id());
  const auto cancelled = Cancel(kRider, (*trip)->trip_id());
  ASSERT_THAT(cancelled, IsOk());
  EXPECT_EQ((*cancelled)->state(), v1::TRIP_STATE_CANCELLED);
}

TEST_F(TripHandlersTest, ShowsATripAsThePermissionAllows) {
  const std::string trip = NewTrip("r");
  v1::GetTripRequest request;
  request.set_trip_id(trip);
  const auto get = [&](const identity::Principal& caller, identity::Permission permission = {}) {
    Answer<v1::Trip> answer;
    handlers_.GetTrip({.caller = caller, .permission = std::move(permission)}, request,
                      answer.Reply());
    return answer.Get();
  };
  EXPECT_THAT(get(kRider), IsOk());
  EXPECT_THAT(get(kService, {.scope = identity::Scope::kAll}), IsOk());
  EXPECT_THAT(get(kRider, {.market = "elsewhere"}),
              StatusIs(absl::StatusCode::kPermissionDenied, "another market"));
  EXPECT_THAT(get({identity::Role::kRider, "other"}),
              StatusIs(absl::StatusCode::kPermissionDenied, "another rider's"));
  request.set_trip_id("");
  EXPECT_THAT(get(kRider), StatusIs(absl::StatusCode::kInvalidArgument, "trip_id"));
}

TEST_F(TripHandlersTest, ACallerBoundToAMarketRequestsAndCancelsNothingOfAnother) {
  const identity::Principal bound{identity::Role::kRider, "r", "elsewhere"};
  const identity::Principal bound_here{identity::Role::kRider, "r", kMarket};
  const std::string quote = Quote(kRider)->quote_id();
  const auto denied = StatusIs(absl::StatusCode::kPermissionDenied, "bound to elsewhere");
  EXPECT_THAT(Request(bound, quote), denied);
  const auto trip = Request(bound_here, quote);
  ASSERT_THAT(trip, IsOk());
  EXPECT_THAT(Request(bound, quote), denied) << "as a repeat";
  clock_.Advance(std::chrono::hours(1));
  EXPECT_THAT(Request(bound, quote), denied) << "as a repeat after the quote's end";
  EXPECT_THAT(Cancel(bound, (*trip)->trip_id()), denied);
  EXPECT_THAT(Cancel({identity::Role::kOperator, "o", "elsewhere"}, (*trip)->trip_id()), denied);
  EXPECT_THAT(Cancel(bound_here, (*trip)->trip_id()), IsOk());
}

TEST_F(TripHandlersTest, ValidatesLeaseRequests) {
  v1::AcquireLeaseRequest request;
  const auto acquire = [&] {
    Answer<v1::AcquireLeaseResponse> answer;
    handlers_.AcquireLease({.caller = kService}, request, answer.Reply());
    return answer.Get();
  };
  request.set_market(kMarket);
  EXPECT_THAT(acquire(), StatusIs(absl::StatusCode::kInvalidArgument, "holder"));
  request.set_holder("p-1");
  EXPECT_THAT(acquire(), StatusIs(absl::StatusCode::kInvalidArgument, "duration"));
  request.mutable_duration()->set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_THAT(acquire(), StatusIs(absl::StatusCode::kInvalidArgument, "100 ms to 60 s"));
  request.mutable_duration()->set_seconds(61);
  EXPECT_THAT(acquire(), StatusIs(absl::StatusCode::kInvalidArgument, "100 ms to 60 s"));
  request.mutable_duration()->set_seconds(60);
  request.set_market("elsewhere");
  EXPECT_THAT(acquire(), StatusIs(absl::StatusCode::kNotFound, "elsewhere"));
  request.set_market(kMarket);
  request.set_address("127.0.0.1:7003");
  const auto acquired = acquire();
  ASSERT_THAT(acquired, IsOk());
  EXPECT_TRUE(acquired->acquired());
  EXPECT_EQ(acquired->lease().term(), 1u);
  EXPECT_EQ(acquired->lease().address(), "127.0.0.1:7003");

  v1::RenewLeaseRequest renewal;
  renewal.set_market(kMarket);
  renewal.set_holder("p-1");
  Answer<v1::RenewLeaseResponse> answer;
  handlers_.RenewLease({.caller = kService}, renewal, answer.Reply());
  EXPECT_THAT(answer.Get(), StatusIs(absl::StatusCode::kInvalidArgument, "term"));
}

TEST_F(TripHandlersTest, RequiresATermOnlyFromDispatch) {
  Answer<LeaseAnswer> answer;
  store_.ChangeLease({.market = MarketId(kMarket), .holder = "p-1"}, answer.Reply());
  ASSERT_THAT(answer.Get(), IsOk());
  const std::string trip = NewTrip("r");
  EXPECT_THAT(Cancel(kService, trip), StatusIs(absl::StatusCode::kFailedPrecondition, "term 0"));
  EXPECT_THAT(Cancel({identity::Role::kOperator, "o"}, trip), IsOk());
}

TEST_F(TripHandlersTest, DoesNoWorkForACancelledCall) {
  const std::string trip = NewTrip("r");
  v1::GetTripRequest request;
  request.set_trip_id(trip);
  Answer<v1::Trip> answer;
  handlers_.GetTrip({.caller = kRider, .is_cancelled = [] { return true; }}, request,
                    answer.Reply());
  EXPECT_THAT(answer.Get(), StatusIs(absl::StatusCode::kCancelled, "the caller cancelled"));
}

TEST_F(TripHandlersTest, FollowersGetEachEventOnceFromTheStoreAndThenFromTheTail) {
  constexpr size_t kTrips = 3 * kTail;
  for (size_t i = 0; i < kTrips; ++i) NewTrip("old-" + std::to_string(i));
  Reader<v1::FollowTripsResponse> reader;
  reader.Attach(handlers_.FollowTrips(After(0), reader));
  std::vector<std::thread> riders;
  for (int rider = 0; rider < 3; ++rider) {
    riders.emplace_back([this, rider] {
      for (size_t i = 0; i < kTrips; ++i) {
        NewTrip("new-" + std::to_string(rider) + "-" + std::to_string(i));
      }
    });
  }
  const auto messages = reader.Await(4 * kTrips + 1);
  for (std::thread& rider : riders) rider.join();
  EXPECT_TRUE(messages[kTrips].has_caught_up()) << "behind what was there when it began";
  const std::vector<std::uint64_t> sequences = SequencesOf(messages);
  ASSERT_THAT(sequences, SizeIs(4 * kTrips));
  for (size_t i = 0; i < sequences.size(); ++i) ASSERT_EQ(sequences[i], i + 1);
  feed_.Close();
  EXPECT_THAT(reader.AwaitEnd(), StatusIs(absl::StatusCode::kUnavailable, "is stopping"));
}

TEST_F(TripHandlersTest, FollowersThatGoAreForgottenWhileEventsCome) {
  std::vector<std::thread> followers;
  for (int i = 0; i < 4; ++i) {
    followers.emplace_back([this] {
      for (int round = 0; round < 10; ++round) {
        Reader<v1::FollowTripsResponse> reader;
        reader.Attach(handlers_.FollowTrips(After(0), reader));
        (void)reader.Await(1);
        reader.Cancel();
        EXPECT_THAT(reader.AwaitEnd(), StatusIs(absl::StatusCode::kCancelled, ""));
      }
    });
  }
  for (int i = 0; i < 50; ++i) NewTrip("r-" + std::to_string(i));
  for (std::thread& follower : followers) follower.join();
}

TEST_F(TripHandlersTest, RefusesToFollowFromBeyondTheLog) {
  Reader<v1::FollowTripsResponse> reader;
  reader.Attach(handlers_.FollowTrips(After(1), reader));
  EXPECT_THAT(reader.AwaitEnd(),
              StatusIs(absl::StatusCode::kOutOfRange, "beyond the end of the log"));
}

/// A transport by which the test reports.
class Reporter final : public streams::StreamReader<v1::ReportProgressResponse> {
 public:
  void StartRead() override { ++reads_; }
  void Finish(const absl::Status& status, const v1::ReportProgressResponse& response) override {
    status_ = status;
    received_ = response.received();
  }
  int reads_ = 0;
  std::optional<absl::Status> status_;
  std::uint64_t received_ = 0;
};

TEST_F(TripHandlersTest, WatchersSeeTheTripItsProgressAndItsEnd) {
  const std::string trip = NewTrip("r");
  v1::WatchTripRequest request;
  request.set_trip_id(trip);
  Reader<v1::WatchTripResponse> watcher;
  watcher.Attach(handlers_.WatchTrip({.caller = kRider}, request, watcher));
  EXPECT_EQ(watcher.Await(1)[0].trip().state(), v1::TRIP_STATE_REQUESTED);
  Assign(trip);
  EXPECT_EQ(watcher.Await(2)[1].trip().state(), v1::TRIP_STATE_ASSIGNED);

  Reporter reporter;
  const auto reader = handlers_.ReportProgress(reporter);
  EXPECT_EQ(reporter.reads_, 1);
  reader->OnRead(Report(trip));
  EXPECT_EQ(reporter.reads_, 2);
  EXPECT_TRUE(watcher.Await(3)[2].progress().has_driver_position());
  reader->OnReadsEnded();
  EXPECT_EQ(reporter.received_, 1u);
  reader->OnDone();

  ASSERT_THAT(Cancel(kRider, trip), IsOk());
  EXPECT_EQ(watcher.Await(4)[3].trip().state(), v1::TRIP_STATE_CANCELLED);
  EXPECT_THAT(watcher.AwaitEnd(), IsOk());
}

TEST_F(TripHandlersTest, NamesTheInvalidFieldToReporters) {
  Reporter reporter;
  const auto reader = handlers_.ReportProgress(reporter);
  v1::ReportProgressRequest report;
  report.add_trips();
  reader->OnRead(report);
  ASSERT_TRUE(reporter.status_.has_value());
  EXPECT_THAT(*reporter.status_, StatusIs(absl::StatusCode::kInvalidArgument, "trips[0].trip_id"));
  EXPECT_EQ(reporter.reads_, 1);
  reader->OnDone();
}

TEST_F(TripHandlersTest, RefusesProgressOfATermThatIsOverAndPassesNothingOn) {
  const std::string trip = NewTrip("r");
  Assign(trip);
  v1::WatchTripRequest request;
  request.set_trip_id(trip);
  Reader<v1::WatchTripResponse> watcher;
  watcher.Attach(handlers_.WatchTrip({.caller = kRider}, request, watcher));
  watcher.Await(1);
  AcquireLease();
  AcquireLease();
  Reporter zombie;
  const auto stale = handlers_.ReportProgress(zombie);
  v1::ReportProgressRequest mixed = Report(trip, 2);
  mixed.mutable_trips(0)->mutable_progress()->set_eta_s(7);
  mixed.MergeFrom(Report(trip, 1));
  stale->OnRead(mixed);
  ASSERT_TRUE(zombie.status_.has_value());
  EXPECT_THAT(*zombie.status_, StatusIs(absl::StatusCode::kFailedPrecondition, "term 1"));
  EXPECT_TRUE(rpc::IsStaleTerm(*zombie.status_));
  stale->OnDone();

  Reporter holder;
  const auto current = handlers_.ReportProgress(holder);
  current->OnRead(Report(trip, 2));
  EXPECT_FALSE(holder.status_.has_value());
  EXPECT_EQ(watcher.Await(2)[1].progress().eta_s(), 0u) << "what was refused was passed on";
  current->OnReadsEnded();
  current->OnDone();
  watcher.Cancel();
  EXPECT_THAT(watcher.AwaitEnd(), StatusIs(absl::StatusCode::kCancelled, ""));
}

TEST_F(TripHandlersTest, RefusesProgressOfAMarketThatIsNotServed) {
  Reporter reporter;
  const auto reader = handlers_.ReportProgress(reporter);
  v1::ReportProgressRequest report = Report("t");
  report.mutable_trips(0)->set_market("elsewhere");
  reader->OnRead(report);
  ASSERT_TRUE(reporter.status_.has_value());
  EXPECT_THAT(*reporter.status_, StatusIs(absl::StatusCode::kFailedPrecondition, "elsewhere"));
  reader->OnDone();
}

TEST_F(TripHandlersTest, RefusesSurgeOfATermThatIsOver) {
  v1::ReportSurgeRequest report;
  report.set_market(kMarket);
  EXPECT_THAT(handlers_.ReportSurge(report), IsOk()) << "there never was a lease";
  AcquireLease();
  const absl::Status without_term = handlers_.ReportSurge(report);
  EXPECT_THAT(without_term, StatusIs(absl::StatusCode::kFailedPrecondition, "term 0"));
  EXPECT_TRUE(rpc::IsStaleTerm(without_term));
  report.set_term(1);
  EXPECT_THAT(handlers_.ReportSurge(report), IsOk());
  AcquireLease();
  EXPECT_THAT(handlers_.ReportSurge(report),
              StatusIs(absl::StatusCode::kFailedPrecondition, "term 1"));
}

}  // namespace
}  // namespace ridestream::trip
