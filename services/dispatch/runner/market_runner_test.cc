// A market with its threads, over ports that the test holds: from a trip in the log to the offer in
// the driver's hand and the command to trip.

#include "services/dispatch/runner/market_runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/stale_term.h"
#include "libs/testing/status_matchers.h"
#include "services/dispatch/drive/testing/fake_call.h"
#include "services/dispatch/runner/testing/fake_write_stream.h"
#include "services/dispatch/runner/testing/held_lease.h"

namespace ridestream::dispatch {
namespace {

using namespace std::chrono_literals;

/// Trip, as far as the test plays it. Outlives the ports.
class FakeTrip {
 public:
  class Port final : public TripPort {
   public:
    explicit Port(FakeTrip& trip) : trip_(trip) {}
    ~Port() override { trip_.Answer(absl::UnavailableError("trip is away")); }
    void Execute(TripRequest request, const CallOptions& options, CommandEnded done) override {
      MutexLock lock(trip_.mu_);
      EXPECT_EQ(options.timeout, 5s);
      trip_.commands_.push_back({std::move(request), options.request_ids, std::move(done)});
    }
    void ReportSurge(trip::v1::ReportSurgeRequest, const CallOptions&, SurgeEnded done) override {
      MutexLock lock(trip_.mu_);
      trip_.surges_.push_back(std::move(done));
    }
    std::unique_ptr<streams::ReadStream> FollowTrips(trip::v1::FollowTripsRequest request,
                                                     LogListener& listener) override {
      MutexLock lock(trip_.mu_);
      trip_.followed_.push_back(std::move(request));
      trip_.log_ = &listener;
      return std::make_unique<streams::ReadStream>();
    }

   private:
    FakeTrip& trip_;
  };
  struct Command {
    TripRequest request;
    std::vector<std::string> request_ids;
    TripPort::CommandEnded done;
  };

  bool Log(trip::v1::FollowTripsResponse message) { return log()->OnMessage(message); }
  void BreakLog() { log()->OnEnded(absl::UnavailableError("trip is away")); }
  std::size_t logs_opened() {
    MutexLock lock(mu_);
    return followed_.size();
  }
  trip::v1::FollowTripsRequest last_followed() {
    MutexLock lock(mu_);
    return followed_.back();
  }
  std::optional<Command> Next() {
    MutexLock lock(mu_);
    if (commands_.empty()) return std::nullopt;
    Command command = std::move(commands_.front());
    commands_.pop_front();
    return command;
  }
  /// All that wait.
  void Answer(const absl::Status& status) {
    std::deque<Command> commands;
    std::vector<TripPort::SurgeEnded> surges;
    {
      MutexLock lock(mu_);
      commands.swap(commands_);
      surges.swap(surges_);
    }
    for (const Command& command : commands) command.done(status);
    for (const auto& done : surges) done(status);
  }

 private:
  TripPort::LogListener* log() {
    MutexLock lock(mu_);
    return log_;
  }

  Mutex mu_;
  std::vector<trip::v1::FollowTripsRequest> followed_ ABSL_GUARDED_BY(mu_);
  TripPort::LogListener* log_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::deque<Command> commands_ ABSL_GUARDED_BY(mu_);
  std::vector<TripPort::SurgeEnded> surges_ ABSL_GUARDED_BY(mu_);
};

/// Finds the one driver near each trip.
class LocationWithOneDriver final : public LocationPort {
 public:
  void FindNearest(location::v1::FindNearestRequest request, const CallOptions&,
                   Done done) override {
    answers_.emplace_back([request = std::move(request), done = std::move(done)] {
      location::v1::FindNearestResponse response;
      for (const auto& query : request.queries()) {
        auto& driver = *response.add_results()->add_drivers();
        driver.set_driver_id("d-1");
        *driver.mutable_position() = query.center();
        driver.set_state(location::v1::DRIVER_STATE_IDLE);
        driver.set_free_seats(4);
      }
      done(std::move(response));
    });
  }
  ~LocationWithOneDriver() override {
    for (std::thread& answer : answers_) answer.join();
  }

 private:
  std::vector<std::thread> answers_;  // Of the market's worker alone.
};

class CommandCounter final : public MarketRunner::Observer {
 public:
  explicit CommandCounter(std::atomic<int>& commands) : commands_(commands) {}
  void Handling(const Event&, Time) override {}
  void Decided(const std::vector<Decision>&) override {}
  void Handled(const Event&, std::chrono::nanoseconds) override {}
  void CommandEnded(const std::string&, absl::StatusCode) override { ++commands_; }

 private:
  std::atomic<int>& commands_;
};

class MarketRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto streets = roads::Streets::Load("city:1");
    ASSERT_THAT(streets, testing::IsOk());
    streets_ = *std::move(streets);
    MarketRunner::Config config;
    config.market.market = MarketId("city");
    config.market.match_every = 100ms;
    runner_ = std::make_unique<MarketRunner>(
        config,
        MarketRunner::Ports{.trip = std::make_unique<FakeTrip::Port>(trip_),
                            .location = std::make_unique<LocationWithOneDriver>(),
                            .open_positions = positions_.Opener(),
                            .observer = std::make_unique<CommandCounter>(commands_ended_),
                            .streets = streets_,
                            .speeds = nullptr},
        MarketRunner::Dependencies{clock_, timers_, executor_, [] { return Duration(0); }, lease_,
                                   registry_, progress_});
    runner_->Start([this] { ++caught_up_; });
    Lead();
  }
  void TearDown() override {
    if (driver_.has_value()) {
      driver_->Break();
      driver_->Done();
    }
    runner_->Stop();
  }

  /// And waits until the log is opened for it.
  void Lead() {
    const std::size_t opened = trip_.logs_opened();
    runner_->Lead();
    while (trip_.logs_opened() == opened) std::this_thread::yield();
  }

  trip::v1::FollowTripsResponse Requested(std::uint64_t sequence, const std::string& id) {
    trip::v1::FollowTripsResponse message;
    auto& event = *message.mutable_event();
    event.set_sequence(sequence);
    auto& trip = *event.mutable_trip();
    trip.set_trip_id(id);
    trip.set_x_request_id("request-of-" + id);
    trip.set_market("city");
    trip.set_version(1);
    trip.set_state(trip::v1::TRIP_STATE_REQUESTED);
    trip.mutable_passenger()->set_party_size(1);
    *trip.mutable_requested_at() = ToProto(clock_.Now());
    std::mt19937_64 random(sequence);
    *trip.mutable_pickup() = ToProto(roads::RandomPointOnStreet(streets_->graph(), random));
    *trip.mutable_dropoff() = ToProto(roads::RandomPointOnStreet(streets_->graph(), random));
    return message;
  }
  static trip::v1::FollowTripsResponse CaughtUp(std::uint64_t sequence) {
    trip::v1::FollowTripsResponse message;
    message.mutable_caught_up()->set_sequence(sequence);
    return message;
  }
  /// The driver's next message of that kind; what lies between is acked.
  v1::DriveResponse Receive(v1::DriveResponse::MessageCase kind) {
    while (true) {
      const auto message = driver_->Take();
      if (!message) {
        clock_.Advance(1ms);
        // So that 15 s of silence, after which the driver would be suspect, take a real second.
        std::this_thread::sleep_for(100us);
        continue;
      }
      v1::DriveRequest ack;
      ack.mutable_ack()->set_sequence(message->sequence());
      if (message->sequence() > 0) driver_->Send(ack);
      if (message->message_case() == kind) return *message;
    }
  }

  ManualClock clock_;
  HeldLease lease_;
  TimerQueue timers_;
  ThreadExecutor executor_;
  FakeTrip trip_;
  FakeWire<PositionForwarder::Request> positions_;
  FakeWire<ProgressReporter::Request> progress_wire_;
  ProgressReporter progress_{timers_, progress_wire_.Opener()};
  std::atomic<int> caught_up_ = 0;
  std::atomic<int> commands_ended_ = 0;
  std::shared_ptr<const roads::Streets> streets_;
  std::unique_ptr<MarketRunner> runner_;
  SessionRegistry registry_{
      {}, clock_, timers_, [this](const MarketId&) -> SessionRegistry::MarketPorts {
        return {runner_.get(), &runner_->positions(), &runner_->offer_times(), &runner_->area()};
      }};
  std::optional<FakeCall> driver_;
};

TEST_F(MarketRunnerTest, TripOfTheLogIsOfferedAndItsAcceptBecomesACommandForItsRequest) {
  EXPECT_TRUE(trip_.last_followed().oldest_open());
  const trip::v1::FollowTripsResponse requested = Requested(1, "t-1");
  EXPECT_TRUE(trip_.Log(requested));
  EXPECT_TRUE(trip_.Log(CaughtUp(1)));
  EXPECT_EQ(caught_up_, 1);

  driver_.emplace();
  ASSERT_THAT(driver_->Open(registry_, "d-1"), testing::IsOk());
  ASSERT_TRUE(driver_->SendHello());
  Receive(v1::DriveResponse::kWelcome);
  v1::DriveRequest request;
  request.mutable_position()->set_sequence(1);
  request.mutable_position()->set_lat_e7(requested.event().trip().pickup().lat_e7());
  request.mutable_position()->set_lng_e7(requested.event().trip().pickup().lng_e7());
  driver_->Send(request);

  const auto offer = Receive(v1::DriveResponse::kOffer).offer();
  EXPECT_EQ(offer.trip_id(), "t-1");
  request.mutable_offer_answer()->set_offer_id(offer.offer_id());
  request.mutable_offer_answer()->set_accept(true);
  driver_->Send(request);
  std::optional<FakeTrip::Command> command;
  while (!(command = trip_.Next())) std::this_thread::yield();
  EXPECT_EQ(std::get<trip::v1::AssignTripRequest>(command->request).trip_id(), "t-1");
  EXPECT_EQ(command->request_ids, (std::vector<std::string>{"request-of-t-1"}));

  command->done(absl::FailedPreconditionError("somebody else was faster"));
  EXPECT_EQ(Receive(v1::DriveResponse::kOfferEnded).offer_ended().offer_id(), offer.offer_id());
  EXPECT_EQ(commands_ended_, 1);
}

TEST_F(MarketRunnerTest, LogIsFollowedOnWhereItBroke) {
  EXPECT_TRUE(trip_.Log(Requested(7, "t-1")));
  trip_.BreakLog();
  while (trip_.logs_opened() < 3) std::this_thread::yield();
  EXPECT_FALSE(trip_.last_followed().oldest_open());
  EXPECT_EQ(trip_.last_followed().after_sequence(), 7u);
}

TEST_F(MarketRunnerTest, CommandCarriesTheTermAndIsSentAgainAfterAStaleTerm) {
  lease_.set_term(4);
  EXPECT_TRUE(trip_.Log(Requested(1, "t-1")));
  EXPECT_TRUE(trip_.Log(CaughtUp(1)));
  clock_.Advance(std::chrono::minutes(6));  // No driver comes: it is given up.
  const auto next = [this] {
    std::optional<FakeTrip::Command> command;
    while (!(command = trip_.Next())) {
      clock_.Advance(10ms);
      std::this_thread::yield();
    }
    return *std::move(command);
  };
  const FakeTrip::Command first = next();
  EXPECT_EQ(std::get<trip::v1::GiveUpTripRequest>(first.request).term(), 4u);
  first.done(rpc::MarkStaleTerm(absl::FailedPreconditionError("term 4 is over")));
  EXPECT_EQ(lease_.refused(), 1);
  lease_.set_term(6);
  EXPECT_EQ(std::get<trip::v1::GiveUpTripRequest>(next().request).term(), 6u);
}

TEST_F(MarketRunnerTest, SendsNoCommandsWithoutALeaseTerm) {
  lease_.set_term(0);
  EXPECT_TRUE(trip_.Log(Requested(1, "t-1")));
  EXPECT_TRUE(trip_.Log(CaughtUp(1)));
  clock_.Advance(std::chrono::minutes(6));
  while (runner_->events().size() > 0) std::this_thread::yield();
  for (int i = 0; i < 1'000; ++i) clock_.Advance(100ms);
  EXPECT_FALSE(trip_.Next());
  lease_.set_term(1);
  std::optional<FakeTrip::Command> command;
  while (!(command = trip_.Next())) {
    clock_.Advance(100ms);
    std::this_thread::yield();
  }
  EXPECT_EQ(std::get<trip::v1::GiveUpTripRequest>(command->request).term(), 1u);
}

TEST_F(MarketRunnerTest, ReportsProgressOnlyWithALeaseTerm) {
  const auto assign = [this](std::uint64_t sequence, const std::string& trip,
                             const std::string& driver) {
    trip::v1::FollowTripsResponse message = Requested(sequence, trip);
    message.mutable_event()->mutable_trip()->set_state(trip::v1::TRIP_STATE_ASSIGNED);
    message.mutable_event()->mutable_trip()->mutable_driver()->set_driver_id(driver);
    EXPECT_TRUE(trip_.Log(message));
  };
  // The second event is taken once all that was due with the first is done.
  const auto await_handled = [this] {
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(trip_.Log(CaughtUp(1)));
      while (runner_->events().size() > 0) std::this_thread::yield();
    }
  };
  lease_.set_term(0);
  assign(1, "t-1", "d-1");
  EXPECT_TRUE(trip_.Log(CaughtUp(1)));
  // The drivers don't connect and become suspect, which their riders are notified of.
  for (int i = 0; i < 200; ++i) {
    clock_.Advance(100ms);
    await_handled();
  }
  lease_.set_term(7);
  assign(2, "t-2", "d-2");
  std::vector<std::string> reported;
  while (reported.empty()) {
    clock_.Advance(100ms);
    await_handled();
    if (const auto report = progress_wire_.Take()) {
      for (const auto& entry : report->trips()) {
        reported.push_back(entry.trip_id());
        EXPECT_EQ(entry.market(), "city");
        EXPECT_EQ(entry.term(), 7u);
      }
    }
  }
  EXPECT_EQ(reported, (std::vector<std::string>{"t-2"}));
}

TEST_F(MarketRunnerTest, StopEndsTheCallsUnderWay) {
  std::atomic<bool> stop = false;
  std::thread drivers([&] {
    for (int i = 0; !stop; ++i) {
      FakeCall call;
      if (call.Open(registry_, "d-" + std::to_string(i % 3)).ok()) {
        call.SendHello();
        call.SendPosition(1);
        call.Take();
        call.Break();
        call.Done();
      }
    }
  });
  for (std::uint64_t i = 1; i <= 50; ++i) {
    trip_.Log(Requested(i, "t-" + std::to_string(i)));
    clock_.Advance(50ms);
  }
  runner_->Stop();
  stop = true;
  drivers.join();
}

}  // namespace
}  // namespace ridestream::dispatch
