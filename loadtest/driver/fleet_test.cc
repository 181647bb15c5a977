#include "loadtest/driver/fleet.h"

#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/server.h"

namespace ridestream::loadtest {
namespace {

namespace pb = ::ridestream::dispatch::v1;
using Stream = grpc::ServerReaderWriter<pb::DriveResponse, pb::DriveRequest>;

/// Welcomes every driver, and cuts its first stream after the first position. Pushes an offer after
/// the second, and ends it in accordance with the answer.
class FakeDispatch final : public pb::DispatchService::Service {
 public:
  grpc::Status Drive(grpc::ServerContext* context, Stream* stream) override {
    const auto& metadata = context->client_metadata();
    const auto caller = metadata.find("ridestream-caller");
    const std::string driver(caller->second.data(), caller->second.size());
    pb::DriveRequest request;
    while (stream->Read(&request)) {
      MutexLock lock(mu_);
      changed_.SignalAll();
      Driver& state = drivers_[driver];
      switch (request.message_case()) {
        case pb::DriveRequest::kHello:
          Welcome(request.hello(), state, *stream);
          break;
        case pb::DriveRequest::kOfferAnswer: {
          pb::DriveResponse ended;
          ended.set_sequence(2);
          ended.mutable_offer_ended()->set_offer_id(request.offer_answer().offer_id());
          ended.mutable_offer_ended()->set_outcome(pb::OFFER_OUTCOME_DECLINED);
          stream->Write(ended);
          break;
        }
        case pb::DriveRequest::kAck:
          state.acked = request.ack().sequence();
          break;
        case pb::DriveRequest::kPosition:
          ++state.positions;
          if (state.epoch == 1) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken off");
          if (state.positions == 2) Offer(*stream);
          break;
        default:
          break;
      }
    }
    MutexLock lock(mu_);
    ++half_closed_;
    changed_.SignalAll();
    return grpc::Status::OK;
  }

  // Waits until each of `drivers` has resumed, acked both pushes, and reported `positions` times.
  void WaitFor(size_t drivers, int positions) {
    MutexLock lock(mu_);
    const auto ready = [&](const auto& entry) {
      return entry.second.epoch > 1 && entry.second.acked == 2 &&
             entry.second.positions >= positions;
    };
    while (drivers_.size() < drivers || !std::all_of(drivers_.begin(), drivers_.end(), ready)) {
      changed_.Wait(mu_);
    }
  }
  int half_closed() {
    MutexLock lock(mu_);
    return half_closed_;
  }

 private:
  struct Driver {
    std::uint64_t epoch = 0, acked = 0;
    int positions = 0;
  };
  void Welcome(const pb::Hello& hello, Driver& state, Stream& stream) {
    pb::DriveResponse response;
    response.mutable_welcome()->set_session_id("s");
    response.mutable_welcome()->set_epoch(++state.epoch);
    response.mutable_welcome()->set_resumed(hello.has_resume());
    *response.mutable_welcome()->mutable_report_every() =
        ToProto(Duration(std::chrono::seconds(4)));
    *response.mutable_welcome()->mutable_heartbeat() = ToProto(Duration(std::chrono::seconds(10)));
    stream.Write(response);
  }
  static void Offer(Stream& stream) {
    pb::DriveResponse offer;
    offer.set_sequence(1);
    offer.mutable_offer()->set_offer_id("o");
    offer.mutable_offer()->set_trip_id("t");
    *offer.mutable_offer()->mutable_decided_at() = ToProto(ScaledClock(kRate).Now());
    stream.Write(offer);
  }

 public:
  static constexpr double kRate = 20;

 private:
  Mutex mu_;
  CondVar changed_;
  std::map<std::string, Driver> drivers_ ABSL_GUARDED_BY(mu_);
  int half_closed_ ABSL_GUARDED_BY(mu_) = 0;
};

class NoCruises final : public Cruises {
 public:
  Course Draw(LatLng, Random&) const override { return {}; }
  Course To(LatLng, LatLng) const override { return {}; }
};

TEST(FleetTest, DriversReportAnswerAckAndResume) {
  FakeDispatch dispatch;
  auto server = rpc::Server::Start({.services = {&dispatch}});
  ASSERT_TRUE(server.ok()) << server.status();
  constexpr size_t kDrivers = 5;
  Fleet::Options options;
  options.channels = {(*server)->InProcessChannel(), (*server)->InProcessChannel()};
  options.habits.disconnects_per_hour = 0;
  options.habits.offers = {.accept_probability = 0, .decline_probability = 1};
  for (size_t i = 0; i < kDrivers; ++i) {
    options.drivers.push_back(
        {DriverId("d-" + std::to_string(i)), "Ada", 4, LatLng{400'000'000, -740'000'000}});
  }
  Tally tally;
  FirstOffers first_offers;
  first_offers.OnRequested(TripId("t"), ScaledClock(FakeDispatch::kRate).Now());
  TimerQueue timers;
  const NoCruises cruises;
  Fleet fleet(options, cruises, std::make_shared<ScaledClock>(FakeDispatch::kRate), timers, tally,
              first_offers);
  fleet.Start();
  dispatch.WaitFor(kDrivers, 3);
  fleet.Stop();
  EXPECT_EQ(dispatch.half_closed(), static_cast<int>(kDrivers));
  EXPECT_EQ(tally.streams.peak(), static_cast<std::int64_t>(kDrivers));
  EXPECT_EQ(tally.streams.value(), 0);
  EXPECT_EQ(tally.streams_resumed, kDrivers);
  EXPECT_GE(tally.positions_sent, 3 * kDrivers);
  EXPECT_GE(tally.offers, kDrivers);
  EXPECT_GE(tally.offer_push.Merged().count(), 1u);
  EXPECT_EQ(tally.request_to_offer.Merged().count(), 1u);
  EXPECT_TRUE(absl::IsUnavailable(fleet.last_error())) << fleet.last_error();
  size_t histories = 0;
  fleet.ForEachHistory([&](const DriverHistory& history) {
    ++histories;
    EXPECT_EQ(history.welcomes, 2u);
    EXPECT_EQ(history.violation_count, 0u);
    ASSERT_EQ(history.offers.size(), 1u);
    EXPECT_EQ(history.offers[0].ends, 1);
  });
  EXPECT_EQ(histories, kDrivers);
}

}  // namespace
}  // namespace ridestream::loadtest
