#include "libs/rpc/self_probe.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <future>
#include <memory>

#include "grpcpp/grpcpp.h"
#include "grpcpp/server_posix.h"
#include "libs/rpc/health_service.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::StatusIs;

class SelfProbeTest : public ::testing::Test {
 protected:
  // No connection is allowed but the probe's own.
  std::unique_ptr<Acceptor> acceptor_ =
      *Acceptor::Listen({.address = "127.0.0.1:0",
                         .connections = std::make_shared<ConnectionTable>(
                             ConnectionLimits{.in_all = 0, .per_address = 0})});
};

TEST_F(SelfProbeTest, ReportsAServerThatAcceptsButNeverAnswers) {
  std::deque<Descriptor> unanswered;
  acceptor_->Start([&](int descriptor) { unanswered.emplace_back(descriptor); });
  std::promise<absl::Status> deaf;
  {
    const SelfProbe probe(
        *acceptor_, {.every = 1ms, .patience = 50ms, .failures = 2, .on_deaf = [&](const auto& s) {
                       deaf.set_value(s);
                     }});
    EXPECT_THAT(deaf.get_future().get(), StatusIs(absl::StatusCode::kDeadlineExceeded, ""));
  }
  acceptor_->Stop();
}

TEST_F(SelfProbeTest, EndsAtOnceWithARunningProbe) {
  std::deque<Descriptor> unanswered;
  std::promise<void> probed;
  acceptor_->Start([&](int descriptor) {
    unanswered.emplace_back(descriptor);
    probed.set_value();
  });
  std::atomic<bool> deaf = false;
  {
    // Takes longer than the test may.
    const SelfProbe probe(
        *acceptor_, {.every = 1ms, .patience = 1h, .failures = 1, .on_deaf = [&](const auto&) {
                       deaf = true;
                     }});
    probed.get_future().wait();
  }
  EXPECT_FALSE(deaf);
  acceptor_->Stop();
}

TEST_F(SelfProbeTest, ReportsAServerThatAcceptsNoConnections) {
  acceptor_->Stop();
  std::promise<absl::Status> deaf;
  const SelfProbe probe(
      *acceptor_, {.every = 1ms, .patience = 10s, .failures = 1, .on_deaf = [&](const auto& s) {
                     deaf.set_value(s);
                   }});
  EXPECT_THAT(deaf.get_future().get(), StatusIs(absl::StatusCode::kUnavailable, "own port"));
}

TEST_F(SelfProbeTest, ReportsNothingWhenTheServerResponds) {
  HealthService health;
  health.SetServing("", false);
  grpc::ServerBuilder builder;
  builder.RegisterService(&health);
  const auto server = builder.BuildAndStart();
  std::atomic<int> accepted = 0;
  std::promise<void> fifth;
  acceptor_->Start([&](int descriptor) {
    grpc::AddInsecureChannelFromFd(server.get(), descriptor);
    if (++accepted == 5) fifth.set_value();
  });
  std::atomic<bool> deaf = false;
  {
    const SelfProbe probe(*acceptor_, {.every = 1ms,
                                       .patience = 10s,
                                       .failures = 1,
                                       .on_deaf = [&](const absl::Status&) { deaf = true; }});
    fifth.get_future().wait();  // A failed probe would have been the last.
  }
  EXPECT_FALSE(deaf);
  acceptor_->Stop();
  server->Shutdown();
}

}  // namespace
}  // namespace ridestream::rpc
