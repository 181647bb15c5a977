#include "libs/rpc/request_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

/// Records the ids of its last call.
class Listener final : public location::v1::LocationService::CallbackService {
 public:
  std::vector<std::string> ids;
  std::string id_or_new;
  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const location::v1::FindNearestRequest*,
                                        location::v1::FindNearestResponse*) override {
    ids = RequestIds(*context);
    id_or_new = RequestIdOrNew(*context);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class RequestIdTest : public ::testing::Test {
 protected:
  void CallWith(const std::vector<std::string>& ids) {
    grpc::ClientContext context;
    SetTimeout(context, std::chrono::seconds(30));
    for (const std::string& id : ids) AddRequestId(context, id);
    location::v1::FindNearestResponse response;
    EXPECT_THAT(FromGrpcStatus(stub_->FindNearest(&context, {}, &response)), testing::IsOk());
  }

  Listener listener_;
  std::unique_ptr<Server> server_ = *Server::Start({.services = {&listener_}});
  std::unique_ptr<location::v1::LocationService::Stub> stub_ =
      location::v1::LocationService::NewStub(server_->InProcessChannel());
};

TEST_F(RequestIdTest, IsPropagatedThroughACall) {
  CallWith({"morning-1", "morning-2"});
  EXPECT_THAT(listener_.ids, ElementsAre("morning-1", "morning-2"));
  EXPECT_EQ(listener_.id_or_new, "morning-1");
}

TEST_F(RequestIdTest, IsGeneratedWhenMissing) {
  CallWith({""});
  EXPECT_THAT(listener_.ids, IsEmpty());
  const std::string first = listener_.id_or_new;
  EXPECT_THAT(first, MatchesRegex("x-[0-9a-f]{16}"));
  CallWith({});
  EXPECT_NE(listener_.id_or_new, first);
}

TEST_F(RequestIdTest, RefusesIdsThatAreUnsafeInALog) {
  CallWith({"a b", std::string(65, 'x'), "fake\" level=error", "good"});
  EXPECT_THAT(listener_.ids, ElementsAre("good"));
}

TEST_F(RequestIdTest, UsesTheFirstOfManyIds) {
  CallWith(std::vector<std::string>(60, "same"));
  EXPECT_EQ(listener_.ids.size(), kMaxRequestIds);
}

}  // namespace
}  // namespace ridestream::rpc
