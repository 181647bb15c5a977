// FollowTrips, over the wire.

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"
#include "services/trip/handlers/log_tail.h"
#include "services/trip/testing/store_calls.h"
#include "services/trip/testing/trip_server.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::ElementsAre;

class FollowTripsTest : public TripServerTest {
 protected:
  /// An open stream and its context.
  struct Follower {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientReader<v1::FollowTripsResponse>> reader;

    v1::FollowTripsResponse Next() {
      v1::FollowTripsResponse message;
      EXPECT_TRUE(reader->Read(&message)) << "the stream ended";
      return message;
    }
    /// The sequences of events up to CaughtUp.
    std::vector<std::uint64_t> UntilCaughtUp() {
      std::vector<std::uint64_t> sequences;
      for (;;) {
        v1::FollowTripsResponse message;
        if (!reader->Read(&message)) {
          ADD_FAILURE() << "the stream ended";
          return sequences;
        }
        if (message.has_caught_up()) return sequences;
        sequences.push_back(message.event().sequence());
      }
    }
    absl::Status End() {
      v1::FollowTripsResponse message;
      while (reader->Read(&message)) {
      }
      return rpc::FromGrpcStatus(reader->Finish());
    }
  };

  Follower Follow(const v1::FollowTripsRequest& request, const rpc::Caller& caller = kService) {
    Follower follower{As(caller), nullptr};
    follower.reader = stub_->FollowTrips(follower.context.get(), request);
    return follower;
  }
  Follower FollowAfter(std::uint64_t sequence,
                       const std::vector<std::string>& markets = {kMarket}) {
    v1::FollowTripsRequest request;
    request.mutable_markets()->Add(markets.begin(), markets.end());
    request.set_after_sequence(sequence);
    return Follow(request);
  }
  Follower FollowOldestOpen() {
    v1::FollowTripsRequest request;
    request.add_markets(kMarket);
    request.set_oldest_open(true);
    return Follow(request);
  }

  /// Trips `first` to `last`, each requested and cancelled: two events a trip, past the network.
  void FillLog(int first, int last, const std::string& market = kMarket) {
    const Time expires = clock_.Now() + std::chrono::minutes(5);
    for (int i = first; i <= last; ++i) {
      const std::string id = fmt::format("{}-{}", market, i);
      EXPECT_THAT(Await(*store_, SampleQuote("q" + id, "r" + id, expires, 1, market)), IsOk());
      EXPECT_THAT(Await(*store_, SampleRequest("t" + id, "r" + id, "q" + id)), IsOk());
      EXPECT_THAT(Await(*store_, SampleCancel("t" + id, "r" + id)), IsOk());
    }
  }

  static std::vector<std::uint64_t> Numbers(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t i = first; i <= last; ++i) numbers.push_back(i);
    return numbers;
  }
};

TEST_F(FollowTripsTest, EmptyLogIsCaughtUpAtOnceThenLive) {
  Follower follower = FollowAfter(0);
  const v1::FollowTripsResponse first = follower.Next();
  ASSERT_TRUE(first.has_caught_up());
  EXPECT_EQ(first.caught_up().sequence(), 0u);
  const v1::Trip trip = Request(kRider, "a");
  const v1::FollowTripsResponse requested = follower.Next();
  EXPECT_EQ(requested.event().sequence(), 1u);
  EXPECT_EQ(requested.event().previous_state(), v1::TRIP_STATE_UNSPECIFIED);
  EXPECT_EQ(requested.event().trip().SerializeAsString(), trip.SerializeAsString());
  ASSERT_THAT(Assign(trip.trip_id(), "d", "o"), IsOk());
  const v1::FollowTripsResponse assigned = follower.Next();
  EXPECT_EQ(assigned.event().sequence(), 2u);
  EXPECT_EQ(assigned.event().previous_state(), v1::TRIP_STATE_REQUESTED);
  EXPECT_EQ(assigned.event().trip().driver().driver_id(), "d");
  follower.context->TryCancel();
}

TEST_F(FollowTripsTest, OldLogIsPagedFromTheStoreAfterARestart) {
  constexpr int kTrips = 2 * static_cast<int>(LogFollower::kPageEvents);
  FillLog(1, kTrips);
  StopServer();
  StartServer();
  Follower follower = FollowAfter(0);
  EXPECT_EQ(follower.UntilCaughtUp(), Numbers(1, std::uint64_t{2} * kTrips));
  FillLog(kTrips + 1, kTrips + 2);
  for (const std::uint64_t sequence : Numbers(2 * kTrips + 1, 2 * kTrips + 4)) {
    EXPECT_EQ(follower.Next().event().sequence(), sequence);
  }
  follower.context->TryCancel();
}

TEST_F(FollowTripsTest, AfterSequenceGetsOnlyWhatFollows) {
  FillLog(1, 5);
  Follower follower = FollowAfter(7);
  EXPECT_THAT(follower.UntilCaughtUp(), ElementsAre(8u, 9u, 10u));
  Follower at_end = FollowAfter(10);
  const v1::FollowTripsResponse first = at_end.Next();
  ASSERT_TRUE(first.has_caught_up());
  EXPECT_EQ(first.caught_up().sequence(), 10u);
}

TEST_F(FollowTripsTest, OldestOpenBeginsAtTheFirstEventOfTheOldestOpenTrip) {
  FillLog(1, 2);  // 1 to 4, all ended.
  EXPECT_THAT(FollowOldestOpen().UntilCaughtUp(), ElementsAre());
  const v1::Trip open = Request(kRider, "a");  // 5
  FillLog(3, 3);                               // 6, 7
  EXPECT_THAT(FollowOldestOpen().UntilCaughtUp(), ElementsAre(5u, 6u, 7u));
  ASSERT_THAT(Cancel(kRider, open.trip_id()), IsOk());
  Follower follower = FollowOldestOpen();
  EXPECT_THAT(follower.UntilCaughtUp(), ElementsAre());
  Request(kRider, "b");  // 9
  EXPECT_EQ(follower.Next().event().sequence(), 9u);
}

TEST_F(FollowTripsTest, SendsOnlyEventsOfTheRequestedMarkets) {
  FillLog(1, 200, "other");  // More than a page of nothing.
  FillLog(1, 1);             // 401, 402
  Follower follower = FollowAfter(0);
  EXPECT_THAT(follower.UntilCaughtUp(), ElementsAre(401u, 402u));
  FillLog(201, 201, "other");
  FillLog(2, 2);
  EXPECT_EQ(follower.Next().event().sequence(), 405u);
  EXPECT_EQ(FollowAfter(0, {kMarket, "other"}).UntilCaughtUp().size(), 406u);
  StopServer();
  StartServer();  // Now the same from the store.
  EXPECT_THAT(FollowAfter(0).UntilCaughtUp(), ElementsAre(401u, 402u, 405u, 406u));
}

TEST_F(FollowTripsTest, RepeatedResumingUnderLoadLosesAndRepeatsNothing) {
  constexpr int kWriters = 3;
  constexpr int kTripsEach = 100;
  constexpr std::uint64_t kEvents = std::uint64_t{2} * kWriters * kTripsEach;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back(
        [this, writer] { FillLog(1000 * (writer + 1), 1000 * (writer + 1) + kTripsEach - 1); });
  }
  std::uint64_t seen = 0;
  for (std::uint64_t cut = 1; seen < kEvents; cut = cut * 2 % 97) {
    Follower follower = FollowAfter(seen);
    for (std::uint64_t i = 0; i < cut && seen < kEvents; ++i) {
      const v1::FollowTripsResponse message = follower.Next();
      if (message.has_caught_up()) continue;
      ASSERT_EQ(message.event().sequence(), seen + 1);
      ++seen;
    }
    follower.context->TryCancel();
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(store_->LastSequence(), kEvents);
}

TEST_F(FollowTripsTest, FollowerThatReadsSlowlyIsNotClosedAndGetsEverythingLater) {
  Follower follower = FollowAfter(0);
  ASSERT_TRUE(follower.Next().has_caught_up());
  constexpr int kTrips = 1000;  // More than the transport and the stream hold.
  FillLog(1, kTrips);
  for (const std::uint64_t sequence : Numbers(1, std::uint64_t{2} * kTrips)) {
    ASSERT_EQ(follower.Next().event().sequence(), sequence);
  }
  follower.context->TryCancel();
}

TEST_F(FollowTripsTest, BadRequestsAreRefused) {
  FillLog(1, 1);
  v1::FollowTripsRequest request;
  EXPECT_THAT(Follow(request).End(), StatusIs(absl::StatusCode::kInvalidArgument, "markets"));
  request.add_markets(kMarket);
  EXPECT_THAT(Follow(request).End(), StatusIs(absl::StatusCode::kInvalidArgument, "start: "));
  request.set_after_sequence(3);
  EXPECT_THAT(Follow(request).End(),
              StatusIs(absl::StatusCode::kOutOfRange, "beyond the end of the log, 2"));
  request.set_after_sequence(0);
  EXPECT_THAT(Follow(request, kRider).End(),
              StatusIs(absl::StatusCode::kPermissionDenied, "isn't for rider"));
  request.set_oldest_open(false);
  EXPECT_THAT(Follow(request).End(), StatusIs(absl::StatusCode::kInvalidArgument, "oldest_open"));
  request.set_oldest_open(true);
  request.add_markets("atlantis");
  EXPECT_THAT(Follow(request).End(),
              StatusIs(absl::StatusCode::kFailedPrecondition, "markets[1]: market 'atlantis'"));
  request.set_markets(1, "");
  EXPECT_THAT(Follow(request).End(), StatusIs(absl::StatusCode::kInvalidArgument, "markets[1]"));
  for (int i = 0; i < 64; ++i) request.add_markets(kMarket);
  EXPECT_THAT(Follow(request).End(), StatusIs(absl::StatusCode::kInvalidArgument, "1 to 64"));
}

TEST_F(FollowTripsTest, DrainEndsTheStreamWithUnavailable) {
  Follower follower = FollowAfter(0);
  ASSERT_TRUE(follower.Next().has_caught_up());
  server_->Drain(std::chrono::seconds(20));
  EXPECT_THAT(follower.End(), StatusIs(absl::StatusCode::kUnavailable, "stopping"));
}

TEST(LogTailTest, ReachesBackAsFarAsItsBound) {
  LogTail tail(3);
  EXPECT_EQ(tail.Read(0, 10), std::nullopt);
  LogTail::Events events;
  for (std::uint64_t sequence = 10; sequence < 15; ++sequence) {
    v1::TripEvent event;
    event.set_sequence(sequence);
    events.push_back(std::make_shared<const v1::TripEvent>(std::move(event)));
  }
  tail.Append(events);
  const auto read = [&](std::uint64_t after, size_t limit) {
    const std::optional<LogTail::Events> page = tail.Read(after, limit);
    std::vector<std::uint64_t> sequences;
    for (const auto& event : page.value()) sequences.push_back(event->sequence());
    return sequences;
  };
  EXPECT_EQ(tail.Read(10, 10), std::nullopt);
  EXPECT_THAT(read(11, 10), ElementsAre(12u, 13u, 14u));
  EXPECT_THAT(read(11, 2), ElementsAre(12u, 13u));
  EXPECT_THAT(read(13, 10), ElementsAre(14u));
  EXPECT_THAT(read(14, 10), ElementsAre());
  EXPECT_THAT(read(20, 10), ElementsAre());
}

}  // namespace
}  // namespace ridestream::trip
