// What a server refuses over the wire: too many calls, too large a message, too many streams.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "libs/base/mutex.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/limiting_authenticator.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/server.h"
#include "libs/rpc/server_flags.h"
#include "libs/rpc/status.h"
#include "libs/service/flag_range.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/location/v1/location.grpc.pb.h"

ABSL_DECLARE_FLAG(size_t, grpc_max_connections);
ABSL_DECLARE_FLAG(int, max_message_bytes);
ABSL_DECLARE_FLAG(int, max_streams_per_connection);

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;
using location::v1::FindNearestRequest;
using location::v1::FindNearestResponse;
using testing::IsOk;
using testing::StatusIs;

/// Authenticates callers, and holds each viewer's stream open until the end.
class Location final : public location::v1::LocationService::CallbackService {
 public:
  explicit Location(const Authenticator& authenticator) : authenticator_(authenticator) {}

  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const FindNearestRequest*, FindNearestResponse*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(authenticator_.Authenticate(*context).status(), context));
    return reactor;
  }
  grpc::ServerWriteReactor<location::v1::WatchAreaResponse>* WatchArea(
      grpc::CallbackServerContext*, const location::v1::WatchAreaRequest*) override {
    auto stream = PushStream<location::v1::WatchAreaResponse>::Make({});
    stream->Replace({});  // Shows the client that the stream is open.
    MutexLock lock(mu_);
    streams_.push_back(stream);
    return stream.get();
  }
  void CloseOne() {
    MutexLock lock(mu_);
    if (streams_.empty()) return;
    streams_.back()->Close(grpc::Status::OK);
    streams_.pop_back();
  }
  void CloseAll() {
    MutexLock lock(mu_);
    for (const auto& stream : streams_) stream->Close(grpc::Status::OK);
  }

 private:
  const Authenticator& authenticator_;
  Mutex mu_;
  std::vector<std::shared_ptr<PushStream<location::v1::WatchAreaResponse>>> streams_
      ABSL_GUARDED_BY(mu_);
};

class LimitsTest : public ::testing::Test {
 protected:
  void Start(double calls_per_s) {
    authenticator_.emplace(trusting_, calls_per_s);
    location_.emplace(*authenticator_);
    auto options = ServerOptionsFromFlags();
    options.services = {&*location_};
    options.on_drain = {[this] { location_->CloseAll(); }};
    auto server = Server::Start(std::move(options));
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    stub_ = location::v1::LocationService::NewStub(
        MakeChannel(fmt::format("127.0.0.1:{}", server_->port())));
  }
  absl::Status Call(const Caller& caller, const FindNearestRequest& request = {},
                    std::chrono::milliseconds* retry_after = nullptr) {
    grpc::ClientContext context;
    SetCaller(context, caller);
    SetTimeout(context, 20s);
    FindNearestResponse response;
    const absl::Status status = FromGrpcStatus(stub_->FindNearest(&context, request, &response));
    if (retry_after != nullptr) *retry_after = RetryAfter(context, 0ms);
    return status;
  }

  const absl::FlagSaver flags_;
  TrustingAuthenticator trusting_;
  std::optional<LimitingAuthenticator> authenticator_;
  std::optional<Location> location_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<location::v1::LocationService::Stub> stub_;
};

TEST_F(LimitsTest, RefusesACallerThatIsNamedTwice) {
  Start(/*calls_per_s=*/1000);
  for (const char* second : {"greedy", "other"}) {
    grpc::ClientContext context;
    SetCaller(context, {CallerKind::kRider, "greedy"});
    SetCaller(context, {CallerKind::kRider, second});
    SetTimeout(context, 20s);
    FindNearestResponse response;
    EXPECT_THAT(FromGrpcStatus(stub_->FindNearest(&context, {}, &response)),
                StatusIs(absl::StatusCode::kUnauthenticated, "more than once"));
  }
}

TEST_F(LimitsTest, FrequentCallerIsRefusedWithAPauseAndOthersAreNot) {
  Start(/*calls_per_s=*/0.01);  // A burst of one, then one call in 100 s.
  const Caller greedy{CallerKind::kRider, "greedy"};
  EXPECT_THAT(Call(greedy), IsOk());
  std::chrono::milliseconds retry_after{0};
  EXPECT_THAT(Call(greedy, {}, &retry_after),
              StatusIs(absl::StatusCode::kResourceExhausted, "rider/greedy exceeds 0.01"));
  EXPECT_GT(retry_after, 30s);
  EXPECT_LE(retry_after, 100s);
  EXPECT_THAT(Call({CallerKind::kRider, "other"}), IsOk());
  EXPECT_THAT(Call({CallerKind::kDriver, "greedy"}), IsOk()) << "a driver of the same name";
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Call({CallerKind::kService, "dispatch"}), IsOk());
}

TEST_F(LimitsTest, LargerMessageIsRefusedWithItsBoundAndWithoutARetryAndTheNextIsFine) {
  absl::SetFlag(&FLAGS_max_message_bytes, 2'000);
  Start(0);
  FindNearestRequest request;
  request.set_market(std::string(1'500, 'm'));
  EXPECT_THAT(Call({CallerKind::kRider, "r"}, request), IsOk());
  request.set_market(std::string(2'500, 'm'));
  std::chrono::milliseconds retry_after{0};
  EXPECT_THAT(Call({CallerKind::kRider, "r"}, request, &retry_after),
              StatusIs(absl::StatusCode::kResourceExhausted, "vs. 2000"));
  EXPECT_EQ(retry_after, 0ms);
  EXPECT_THAT(Call({CallerKind::kRider, "r"}), IsOk());
}

TEST_F(LimitsTest, StreamBeyondTheLimitOfAConnectionWaitsForAnotherToEnd) {
  absl::SetFlag(&FLAGS_max_streams_per_connection, 2);
  Start(0);
  const auto open = [&](grpc::ClientContext& context) {
    SetTimeout(context, 20s);
    return stub_->WatchArea(&context, {});
  };
  location::v1::WatchAreaResponse frame;
  grpc::ClientContext contexts[3];
  const auto one = open(contexts[0]);
  ASSERT_TRUE(one->Read(&frame));
  const auto two = open(contexts[1]);
  ASSERT_TRUE(two->Read(&frame));
  std::atomic<bool> third_opened = false;
  auto third = std::async(std::launch::async, [&] {
    const auto stream = open(contexts[2]);
    location::v1::WatchAreaResponse first;
    const bool read = stream->Read(&first);
    third_opened = true;
    return read;
  });
  // Another connection isn't affected. By the time of its answer, the third stream would have had
  // its own.
  const auto other = location::v1::LocationService::NewStub(
      MakeChannel(fmt::format("127.0.0.1:{}", server_->port()), {.connection = 1}));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    SetCaller(context, {CallerKind::kRider, "r"});
    SetTimeout(context, 20s);
    FindNearestResponse response;
    EXPECT_TRUE(other->FindNearest(&context, {}, &response).ok());
  }
  EXPECT_FALSE(third_opened);
  location_->CloseOne();
  EXPECT_TRUE(third.get());
}

TEST_F(LimitsTest, LargeMetadataAndLongStatusesLeaveOtherCallsOfTheConnectionAlone) {
  Start(0);
  grpc::ClientContext watch_context;
  SetTimeout(watch_context, 60s);
  const auto watch = stub_->WatchArea(&watch_context, {});
  location::v1::WatchAreaResponse frame;
  ASSERT_TRUE(watch->Read(&frame));
  grpc::ClientContext context;
  SetCaller(context, {CallerKind::kRider, "r"});
  SetTimeout(context, 20s);
  context.AddMetadata("x-large", std::string(9'000, 'h'));
  FindNearestResponse response;
  EXPECT_THAT(FromGrpcStatus(stub_->FindNearest(&context, {}, &response)), IsOk());
  location_->CloseOne();
  EXPECT_FALSE(watch->Read(&frame));
  EXPECT_THAT(FromGrpcStatus(watch->Finish()), IsOk()) << "the connection was closed";
}

TEST_F(LimitsTest, CompressedMessagesAreRefusedBeforeTheyAreInflated) {
  Start(0);
  grpc::ClientContext context;
  SetCaller(context, {CallerKind::kRider, "r"});
  SetTimeout(context, 20s);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  FindNearestRequest request;
  request.set_market(std::string(500'000, 'm'));
  FindNearestResponse response;
  EXPECT_THAT(FromGrpcStatus(stub_->FindNearest(&context, request, &response)),
              StatusIs(absl::StatusCode::kUnimplemented, "gzip"));
}

TEST(ToGrpcStatusTest, CutsTextsBetweenCharacters) {
  const std::string long_text = "x" + std::string(3'000, 'y');
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(long_text)).error_message(),
            long_text.substr(0, kMaxStatusTextBytes));
  std::string thai;
  for (int i = 0; i < 1'000; ++i) thai += "ส";
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(thai)).error_message(),
            thai.substr(0, kMaxStatusTextBytes / 3 * 3));
}

TEST(ServerFlagsTest, DefaultsAreTheLimitsOfTheServer) {
  const ServerOptions options = ServerOptionsFromFlags();
  EXPECT_EQ(options.max_message_bytes, 1 << 20);
  EXPECT_EQ(options.max_streams_per_connection, 100);
  EXPECT_LE(options.connections->limits().in_all, 20'000u);
  EXPECT_LE(options.connections->limits().per_address, 2'000u);
  EXPECT_EQ(options.memory_bytes, 0u);
}

TEST(ServerFlagsTest, FlagsOutOfRangeAreNamed) {
  const auto expect_named = [](auto& flag, auto value, const char* named) {
    const absl::FlagSaver flags;
    absl::SetFlag(&flag, value);
    EXPECT_THAT(service::CheckFlagRanges(), StatusIs(absl::StatusCode::kInvalidArgument, named));
  };
  expect_named(FLAGS_max_message_bytes, 10, "--max_message_bytes=10");
  expect_named(FLAGS_max_streams_per_connection, 0, "--max_streams_per_connection=0");
  expect_named(FLAGS_grpc_max_connections, 1, "--grpc_max_connections=1");
  expect_named(FLAGS_max_calls_per_s, -1, "--max_calls_per_s=-1");
}

}  // namespace
}  // namespace ridestream::rpc
