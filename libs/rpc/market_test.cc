#include "libs/rpc/market.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/rpc/call_guard.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::rpc {
namespace {

using absl::StatusCode;
using testing::IsOk;
using testing::StatusIs;

/// Admits calls that concern porto or lisbon.
class Guarded final : public location::v1::LocationService::CallbackService {
 public:
  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const location::v1::FindNearestRequest* request,
                                        location::v1::FindNearestResponse*) override {
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(guard_.Admit(*context, *request).status()));
    return reactor;
  }

 private:
  const TrustingAuthenticator authenticator_;
  const CallGuard guard_{authenticator_, service::ServedMarkets({"lisbon", "porto"})};
};

class MarketTest : public ::testing::Test {
 protected:
  absl::Status CallWith(const std::vector<std::string>& markets) {
    grpc::ClientContext context;
    SetTimeout(context, std::chrono::seconds(30));
    SetCaller(context, {CallerKind::kService, "dispatch"});
    for (const std::string& market : markets) SetMarket(context, market);
    location::v1::FindNearestResponse response;
    return FromGrpcStatus(stub_->FindNearest(&context, {}, &response));
  }

  Guarded guarded_;
  std::unique_ptr<Server> server_ = *Server::Start({.services = {&guarded_}});
  std::unique_ptr<location::v1::LocationService::Stub> stub_ =
      location::v1::LocationService::NewStub(server_->InProcessChannel());
};

TEST_F(MarketTest, AdmitsCallsOfServedMarketsAndThoseThatNameNone) {
  EXPECT_THAT(CallWith({"porto"}), IsOk());
  EXPECT_THAT(CallWith({}), IsOk());
  EXPECT_THAT(CallWith({""}), IsOk());
}

TEST_F(MarketTest, RefusesOtherMarketsAndNamesTheServedOnes) {
  EXPECT_THAT(
      CallWith({"atlantis"}),
      StatusIs(StatusCode::kFailedPrecondition,
               "ridestream-market: market 'atlantis' isn't served here, only lisbon, porto"));
}

TEST_F(MarketTest, RefusesMarketsThatAreInvalidOrNamedTwice) {
  EXPECT_THAT(CallWith({"a b"}), StatusIs(StatusCode::kInvalidArgument, "ridestream-market"));
  EXPECT_THAT(CallWith({"porto", "porto"}),
              StatusIs(StatusCode::kInvalidArgument, "more than once"));
}

}  // namespace
}  // namespace ridestream::rpc
