#include "libs/peer_clock/peer_clock.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "libs/peer_clock/clock_service.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"

namespace ridestream {
namespace {

using namespace std::chrono_literals;

class PeerClockTest : public ::testing::Test {
 protected:
  void Serve(std::vector<grpc::Service*> services) {
    auto server = rpc::Server::Start({.services = std::move(services)});
    ASSERT_THAT(server, testing::IsOk());
    server_ = *std::move(server);
  }
  std::unique_ptr<clock::v1::ClockService::Stub> Stub() {
    return clock::v1::ClockService::NewStub(server_->InProcessChannel());
  }
  std::unique_ptr<PeerClock> MakePeer() {
    return std::make_unique<PeerClock>(
        clock_, timers_, Stub(),
        PeerClock::Options{
            "peer", "127.0.0.1:1", {rpc::CallerKind::kService, "dispatch"}, "", 1ms, 1ms});
  }

  ManualClock clock_;
  ManualClock peers_;
  TimerQueue timers_;
  const rpc::TrustingAuthenticator authenticator_;
  ClockService service_{peers_, authenticator_};
  std::unique_ptr<rpc::Server> server_;
};

TEST_F(PeerClockTest, TranslatesThePeersTimes) {
  peers_.Advance(-45s);
  Serve({&service_});
  absl::Notification compared;
  const auto peer = MakePeer();
  EXPECT_EQ(peer->ahead(), std::nullopt);
  EXPECT_EQ(peer->to_ours(), 0s) << "nothing is known yet";
  peer->Start([&] {
    if (!compared.HasBeenNotified()) compared.Notify();
  });
  compared.WaitForNotification();
  EXPECT_EQ(peer->ahead(), Duration(-45s));
  EXPECT_EQ(peer->verdict(), ClockVerdict::kDiffer);
  EXPECT_EQ(peer->to_ours(), 45s);
}

TEST_F(PeerClockTest, FollowsThePeersSteps) {
  Serve({&service_});
  absl::Notification agreed;
  absl::Notification differed;
  absl::Notification unusable;
  const auto peer = MakePeer();
  peer->Start([&] {
    const auto reached = [&](absl::Notification& state, ClockVerdict verdict) {
      if (peer->verdict() == verdict && !state.HasBeenNotified()) state.Notify();
    };
    reached(agreed, ClockVerdict::kAgree);
    reached(differed, ClockVerdict::kDiffer);
    reached(unusable, ClockVerdict::kUnusable);
  });
  agreed.WaitForNotification();
  peers_.Advance(12s);
  differed.WaitForNotification();
  EXPECT_EQ(peer->to_ours(), -12s);
  peers_.Advance(2h);
  unusable.WaitForNotification();
  EXPECT_EQ(peer->to_ours(), 0s) << "there is no sense in translating";
}

TEST_F(PeerClockTest, IsComparedAlsoWithAPeerThatLacksTheCall) {
  Serve({});
  absl::Notification compared;
  const auto peer = MakePeer();
  peer->Start([&] {
    if (!compared.HasBeenNotified()) compared.Notify();
  });
  compared.WaitForNotification();
  EXPECT_EQ(peer->ahead(), std::nullopt);
  EXPECT_EQ(peer->verdict(), ClockVerdict::kAgree);
}

TEST_F(PeerClockTest, AnswersTheTimeToServicesOnly) {
  Serve({&service_});
  grpc::ClientContext context;
  rpc::SetTimeout(context, 10s);
  rpc::SetCaller(context, {rpc::CallerKind::kRider, "r-1"});
  clock::v1::GetTimeResponse response;
  EXPECT_THAT(rpc::FromGrpcStatus(Stub()->GetTime(&context, {}, &response)),
              testing::StatusIs(absl::StatusCode::kPermissionDenied, "for rider"));
  EXPECT_FALSE(response.has_now());
}

}  // namespace
}  // namespace ridestream
