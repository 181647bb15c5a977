#include "services/trip/streets/market_service.h"

#include <fmt/format.h>
#include <malloc.h>

#include <cstdio>
#include <deque>
#include <future>
#include <memory>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "services/trip/streets/street_lines.h"

namespace ridestream::trip {
namespace {

using testing::IsOk;
using testing::StatusIs;

class MarketServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto streets = roads::Streets::Load("city:1");
    ASSERT_THAT(streets, IsOk());
    streets_ = *std::move(streets);
    service_ = std::make_unique<MarketService>(
        clock_, authenticator_,
        std::map<std::string, const roads::Streets*>{{"city", streets_.get()}});
    auto server = rpc::Server::Start({.services = {service_.get()}});
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    stub_ = market::v1::MarketService::NewStub(server_->InProcessChannel());
  }

  /// A context of a viewer's call.
  static std::unique_ptr<grpc::ClientContext> Viewer() {
    auto context = std::make_unique<grpc::ClientContext>();
    rpc::SetCaller(*context, {rpc::CallerKind::kViewer, "v"});
    return context;
  }

  ManualClock clock_;
  const rpc::TrustingAuthenticator authenticator_;
  std::unique_ptr<roads::Streets> streets_;
  std::unique_ptr<MarketService> service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<market::v1::MarketService::Stub> stub_;
};

TEST_F(MarketServiceTest, ListsMarketsWithTheirBoundsAndTheClock) {
  const auto context = Viewer();
  market::v1::ListMarketsResponse response;
  clock_.Advance(std::chrono::seconds(5));
  ASSERT_TRUE(stub_->ListMarkets(context.get(), {}, &response).ok());
  ASSERT_EQ(response.markets_size(), 1);
  const market::v1::Market& market = response.markets(0);
  EXPECT_EQ(market.market(), "city");
  EXPECT_EQ(FromProto(market.south_west()), streets_->graph().bounds().south_west);
  EXPECT_EQ(FromProto(market.north_east()), streets_->graph().bounds().north_east);
  EXPECT_EQ(market.junctions(), streets_->graph().junction_count());
  EXPECT_EQ(FromProto(response.now()), clock_.Now());
  // The manual clock says that any duration lasts a millisecond of the wall.
  EXPECT_DOUBLE_EQ(response.clock_rate(), 1000);
}

TEST_F(MarketServiceTest, StreamsAllStreetsAndEnds) {
  const auto context = Viewer();
  market::v1::GetStreetsRequest request;
  request.set_market("city");
  const auto reader = stub_->GetStreets(context.get(), request);
  market::v1::GetStreetsResponse message;
  size_t streets = 0;
  while (reader->Read(&message)) streets += static_cast<size_t>(message.streets_size());
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(streets, MakeStreetLines(streets_->graph()).size());
}

std::size_t HeapBytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST_F(MarketServiceTest, UnreadAnswersShareTheirBytes) {
  std::size_t copy_bytes = 0;  // Of a copy of the messages.
  for (const auto& message : PackStreets(MakeStreetLines(streets_->graph()), 256 << 10)) {
    copy_bytes += message.SpaceUsedLong();
  }
  const auto stub = market::v1::MarketService::NewStub(
      rpc::MakeChannel(fmt::format("127.0.0.1:{}", server_->port())));
  market::v1::GetStreetsRequest request;
  request.set_market("city");
  std::deque<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<market::v1::GetStreetsResponse>>> readers;
  const auto open = [&] {
    readers.push_back(stub->GetStreets(contexts.emplace_back(Viewer()).get(), request));
    readers.back()->WaitForInitialMetadata();
  };
  open();  // What a connection takes once isn't counted.
  const std::size_t before = HeapBytes();
  constexpr std::size_t kReaders = 80;
  for (std::size_t i = 0; i < kReaders; ++i) open();
  const std::size_t after = HeapBytes();
  // The calls themselves and what the client received take memory as well.
  std::printf("a copy has %zu bytes; a reader takes %zu\n", copy_bytes,
              (after - before) / kReaders);
  EXPECT_LT(after - before, kReaders * copy_bytes * 3 / 4);
  for (auto& context : contexts) context->TryCancel();
}

TEST_F(MarketServiceTest, RefusesBytesThatAreNotARequest) {
  grpc::GenericStub stub(server_->InProcessChannel());
  const auto context = Viewer();
  const grpc::Slice garbage("\xff\xff\xff");
  const grpc::ByteBuffer request(&garbage, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> ended;
  stub.UnaryCall(context.get(), "/ridestream.market.v1.MarketService/GetStreets", {}, &request,
                 &response, [&](grpc::Status status) { ended.set_value(std::move(status)); });
  EXPECT_THAT(rpc::FromGrpcStatus(ended.get_future().get()),
              StatusIs(absl::StatusCode::kInvalidArgument, "message: can't be parsed"));
}

TEST_F(MarketServiceTest, RefusesAnonymousCallersAndServices) {
  market::v1::GetStreetsRequest request;
  request.set_market("city");
  market::v1::GetStreetsResponse message;
  grpc::ClientContext nobody;
  EXPECT_THAT(rpc::FromGrpcStatus(stub_->GetStreets(&nobody, request)->Finish()),
              StatusIs(absl::StatusCode::kUnauthenticated, "missing"));
  grpc::ClientContext service;
  rpc::SetCaller(service, {rpc::CallerKind::kService, "dispatch"});
  market::v1::ListMarketsResponse response;
  EXPECT_THAT(rpc::FromGrpcStatus(stub_->ListMarkets(&service, {}, &response)),
              StatusIs(absl::StatusCode::kPermissionDenied, "service/dispatch"));
}

TEST_F(MarketServiceTest, RefusesAMarketThatIsNotServedHere) {
  const auto context = Viewer();
  market::v1::GetStreetsRequest request;
  request.set_market("atlantis");
  const auto reader = stub_->GetStreets(context.get(), request);
  market::v1::GetStreetsResponse message;
  EXPECT_FALSE(reader->Read(&message));
  EXPECT_THAT(rpc::FromGrpcStatus(reader->Finish()),
              StatusIs(absl::StatusCode::kFailedPrecondition, "market 'atlantis'"));
}

}  // namespace
}  // namespace ridestream::trip
