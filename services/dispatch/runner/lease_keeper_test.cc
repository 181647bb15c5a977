// The keeper of a lease against trip as the test plays it, under clocks that the test moves.

#include "services/dispatch/runner/lease_keeper.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/testing/manual_timers.h"

namespace ridestream::dispatch {
namespace {

using namespace std::chrono_literals;

class SteadyTime final : public TimeSource {
 public:
  SystemTime System() const override { return {}; }
  std::int64_t SteadyNs() const override { return now_ns_; }
  void Advance(std::chrono::nanoseconds time) { now_ns_ += time.count(); }

 private:
  std::int64_t now_ns_ = 0;
};

/// Keeps what it is asked until the test answers.
class FakeLeases final : public LeasePort {
 public:
  void Acquire(trip::v1::AcquireLeaseRequest request, const CallOptions&,
               Done<trip::v1::AcquireLeaseResponse> done) override {
    acquired_ = {std::move(request), std::move(done)};
  }
  void Renew(trip::v1::RenewLeaseRequest request, const CallOptions&,
             Done<trip::v1::RenewLeaseResponse> done) override {
    renewed_ = {std::move(request), std::move(done)};
  }
  void Release(trip::v1::ReleaseLeaseRequest request, const CallOptions&,
               Done<trip::v1::ReleaseLeaseResponse>) override {
    released_ = std::move(request);
  }

  template <class Request, class Response>
  struct Asked {
    Request request;
    Done<Response> done = nullptr;
  };
  Asked<trip::v1::AcquireLeaseRequest, trip::v1::AcquireLeaseResponse> acquired_;
  Asked<trip::v1::RenewLeaseRequest, trip::v1::RenewLeaseResponse> renewed_;
  std::optional<trip::v1::ReleaseLeaseRequest> released_;
};

trip::v1::Lease LeaseOf(const std::string& holder, std::uint64_t term) {
  trip::v1::Lease lease;
  lease.set_market("city");
  lease.set_holder(holder);
  lease.set_address(holder + ":7003");
  lease.set_term(term);
  *lease.mutable_ends_in() = ToProto(Duration(2s));
  return lease;
}

class LeaseKeeperTest : public ::testing::Test {
 protected:
  void AnswerAcquire(bool acquired, const std::string& holder, std::uint64_t term) {
    trip::v1::AcquireLeaseResponse response;
    response.set_acquired(acquired);
    *response.mutable_lease() = LeaseOf(holder, term);
    std::exchange(trip_.acquired_.done, nullptr)(response);
  }
  void AnswerRenew(bool renewed, const std::string& holder, std::uint64_t term) {
    trip::v1::RenewLeaseResponse response;
    response.set_renewed(renewed);
    *response.mutable_lease() = LeaseOf(holder, term);
    std::exchange(trip_.renewed_.done, nullptr)(response);
  }
  void Hold(std::uint64_t term) {
    keeper_.Start("me:7003");
    timers_.FireAll();
    AnswerAcquire(true, "me", term);
  }

  SteadyTime time_;
  testing::ManualTimers timers_;
  FakeLeases trip_;
  int held_ = 0;
  std::optional<trip::v1::Lease> lost_to_;
  int standby_ = 0;
  LeaseKeeper keeper_{{.market = "city",
                       .holder = "me",
                       .trip = trip_,
                       .timers = timers_,
                       .time = time_,
                       .lasts = 2s,
                       .on_held = [this](const auto&) { ++held_; },
                       .on_lost = [this](const auto& lease) { lost_to_ = lease; },
                       .on_standby = [this](const auto&) { ++standby_; }}};
};

TEST_F(LeaseKeeperTest, LeaseThatIsFreeIsHeldAtOnce) {
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  keeper_.Start("me:7003");
  timers_.FireAll();
  EXPECT_EQ(trip_.acquired_.request.market(), "city");
  EXPECT_EQ(trip_.acquired_.request.holder(), "me");
  EXPECT_EQ(trip_.acquired_.request.address(), "me:7003");
  EXPECT_EQ(FromProto(trip_.acquired_.request.duration()), Duration(2s));
  AnswerAcquire(true, "me", 7);
  EXPECT_EQ(held_, 1);
  EXPECT_EQ(standby_, 0);
  EXPECT_EQ(keeper_.TermToActIn(), 7u);
}

TEST_F(LeaseKeeperTest, StandbyAsksUntilTheLeaseIsFree) {
  keeper_.Start("me:7003");
  for (int i = 0; i < 3; ++i) {
    timers_.FireAll();
    AnswerAcquire(false, "other", 3);
    EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
    EXPECT_EQ(keeper_.last_lease().address(), "other:7003");
  }
  EXPECT_EQ(standby_, 1);
  timers_.FireAll();
  std::exchange(trip_.acquired_.done, nullptr)(absl::UnavailableError("trip is away"));
  timers_.FireAll();
  AnswerAcquire(true, "me", 4);
  EXPECT_EQ(held_, 1);
  EXPECT_EQ(keeper_.TermToActIn(), 4u);
}

TEST_F(LeaseKeeperTest, HolderStopsActingAQuarterBeforeTheLeaseEnds) {
  keeper_.Start("me:7003");
  timers_.FireAll();
  time_.Advance(400ms);  // The answer is late: the lease counts from when it was asked for.
  AnswerAcquire(true, "me", 1);
  time_.Advance(1'099ms);
  EXPECT_EQ(keeper_.TermToActIn(), 1u);
  time_.Advance(1ms);
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  EXPECT_TRUE(keeper_.held());
}

TEST_F(LeaseKeeperTest, RenewalLetsItActFromWhenItWasSent) {
  Hold(5);
  time_.Advance(500ms);
  timers_.FireAll();
  EXPECT_EQ(trip_.renewed_.request.term(), 5u);
  time_.Advance(1s);
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  AnswerRenew(true, "me", 5);
  EXPECT_EQ(keeper_.TermToActIn(), 5u);
  time_.Advance(500ms);
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
}

TEST_F(LeaseKeeperTest, LeaseStaysInItsTermAfterAPauseWithoutATakeover) {
  Hold(5);
  time_.Advance(1h);
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  timers_.FireAll();
  std::exchange(trip_.renewed_.done, nullptr)(absl::UnavailableError("trip is away"));
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  timers_.FireAll();
  AnswerRenew(true, "me", 5);
  EXPECT_EQ(keeper_.TermToActIn(), 5u);
  EXPECT_EQ(held_, 1);
  EXPECT_FALSE(lost_to_);
}

TEST_F(LeaseKeeperTest, TreatsALeaseHeldByAnotherAsLostForGood) {
  Hold(5);
  timers_.FireAll();
  AnswerRenew(false, "other", 6);
  ASSERT_TRUE(lost_to_);
  EXPECT_EQ(lost_to_->address(), "other:7003");
  EXPECT_FALSE(keeper_.held());
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  EXPECT_EQ(timers_.waiting(), 0u) << "nothing is asked any more";
  keeper_.Release();
  EXPECT_FALSE(trip_.released_) << "it isn't ours";
}

TEST_F(LeaseKeeperTest, RefusedTermStopsItUntilTripHasRenewed) {
  Hold(5);
  keeper_.OnTermRefused();
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  timers_.FireAll();
  AnswerRenew(true, "me", 5);
  EXPECT_EQ(keeper_.TermToActIn(), 5u);
}

TEST_F(LeaseKeeperTest, ReleaseGivesTheLeaseUp) {
  Hold(5);
  keeper_.Release();
  ASSERT_TRUE(trip_.released_);
  EXPECT_EQ(trip_.released_->holder(), "me");
  EXPECT_EQ(trip_.released_->term(), 5u);
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
  EXPECT_EQ(timers_.waiting(), 0u);
}

TEST_F(LeaseKeeperTest, AnswersAfterTheEndChangeNothing) {
  keeper_.Start("me:7003");
  timers_.FireAll();
  keeper_.Stop();
  AnswerAcquire(true, "me", 1);
  EXPECT_EQ(held_, 0);
  EXPECT_EQ(keeper_.TermToActIn(), std::nullopt);
}

}  // namespace
}  // namespace ridestream::dispatch
