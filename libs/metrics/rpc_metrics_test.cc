#include "libs/metrics/rpc_metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "libs/metrics/buckets.h"
#include "libs/metrics/exemplars.h"
#include "libs/metrics/testing/scrape.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "libs/tracing/testing/recorded_spans.h"
#include "prometheus/text_serializer.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::metrics {
namespace {

using namespace std::chrono_literals;
using location::v1::FindNearestRequest;
using location::v1::FindNearestResponse;
using location::v1::LocationService;
using location::v1::ReportPositionsRequest;
using location::v1::ReportPositionsResponse;
using ridestream::testing::IsOk;
using testing::Sum;

/// Answers with the status that the market's name selects; reads positions until the client
/// half-closes.
class FakeLocation final : public LocationService::CallbackService {
 public:
  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const FindNearestRequest* request,
                                        FindNearestResponse*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(request->market() == "unknown"
                        ? grpc::Status(grpc::StatusCode::NOT_FOUND, "no such market")
                        : grpc::Status::OK);
    return reactor;
  }
  grpc::ServerReadReactor<ReportPositionsRequest>* ReportPositions(
      grpc::CallbackServerContext*, ReportPositionsResponse*) override {
    return new Reader();
  }

 private:
  class Reader final : public grpc::ServerReadReactor<ReportPositionsRequest> {
   public:
    Reader() { StartRead(&request_); }
    void OnReadDone(bool ok) override { ok ? StartRead(&request_) : Finish(grpc::Status::OK); }
    void OnDone() override { delete this; }

   private:
    ReportPositionsRequest request_;
  };
};

class RpcMetricsTest : public ::testing::Test {
 protected:
  void Start(std::set<std::string, std::less<>> observed_by_service = {}) {
    server_ = *rpc::Server::Start({.services = {&service_},
                                   .call_observer = &metrics_,
                                   .observed_by_service = std::move(observed_by_service)});
    stub_ =
        LocationService::NewStub(rpc::MakeChannel(fmt::format("127.0.0.1:{}", server_->port())));
  }
  absl::Status FindNearest(const std::string& market) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, 30s);
    FindNearestRequest request;
    request.set_market(market);
    FindNearestResponse response;
    return rpc::FromGrpcStatus(stub_->FindNearest(&context, request, &response));
  }
  testing::Metrics Read() {
    return *testing::ParseMetrics(prometheus::TextSerializer().Serialize(registry_.Collect()));
  }
  /// The server's end of a call finishes a little after the client's.
  void WaitUntil(const std::string& name, const std::map<std::string, std::string>& labels,
                 double value) {
    while (Sum(Read(), name, labels) != value) std::this_thread::yield();
  }

  prometheus::Registry registry_;
  RpcMetrics metrics_{registry_, "x", {"ridestream.location.v1.LocationService"}};
  FakeLocation service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<LocationService::Stub> stub_;
};

TEST_F(RpcMetricsTest, EveryMethodStartsAtZero) {
  const testing::Metrics metrics = Read();
  for (const char* method : {"FindNearest", "ReportPositions", "WatchArea", "GetIndexStats"}) {
    for (const char* name : {"x_rpc_calls_total", "x_rpc_open"}) {
      const auto& series = metrics.at(name).series;
      EXPECT_TRUE(std::any_of(
          series.begin(), series.end(),
          [&](const auto& one) { return one.labels.at("method") == method && one.value == 0; }))
          << name << " " << method;
    }
  }
}

TEST_F(RpcMetricsTest, CountsUnaryCallsByMethodAndCodeWithTheirTimes) {
  Start();
  EXPECT_THAT(FindNearest("city"), IsOk());
  EXPECT_THAT(FindNearest("city"), IsOk());
  EXPECT_FALSE(FindNearest("unknown").ok());
  WaitUntil("x_rpc_calls_total", {{"method", "FindNearest"}, {"code", "OK"}}, 2);
  WaitUntil("x_rpc_calls_total", {{"method", "FindNearest"}, {"code", "NOT_FOUND"}}, 1);
  WaitUntil("x_rpc_seconds", {{"method", "FindNearest"}, {"code", "OK"}, {"le", "+Inf"}}, 2);
  WaitUntil("x_rpc_open", {{"method", "FindNearest"}}, 0);
}

TEST_F(RpcMetricsTest, CountsOpenStreams) {
  Start();
  grpc::ClientContext context;
  ReportPositionsResponse response;
  const auto stream = stub_->ReportPositions(&context, &response);
  ASSERT_TRUE(stream->Write({}));
  WaitUntil("x_rpc_open", {{"method", "ReportPositions"}}, 1);
  EXPECT_EQ(Sum(Read(), "x_rpc_calls_total", {{"method", "ReportPositions"}}), 0);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  WaitUntil("x_rpc_calls_total", {{"method", "ReportPositions"}, {"code", "OK"}}, 1);
  EXPECT_EQ(Sum(Read(), "x_rpc_open", {{"method", "ReportPositions"}}), 0);
}

TEST_F(RpcMetricsTest, CutStreamCountsAsFinished) {
  Start();
  {
    grpc::ClientContext context;
    ReportPositionsResponse response;
    const auto stream = stub_->ReportPositions(&context, &response);
    ASSERT_TRUE(stream->Write({}));
    WaitUntil("x_rpc_open", {{"method", "ReportPositions"}}, 1);
    context.TryCancel();
    EXPECT_FALSE(stream->Finish().ok());
  }
  WaitUntil("x_rpc_open", {{"method", "ReportPositions"}}, 0);
  WaitUntil("x_rpc_calls_total", {{"method", "ReportPositions"}}, 1);
}

TEST_F(RpcMetricsTest, OmitsMethodsThatTheServiceMeasuresItself) {
  Start({"/ridestream.location.v1.LocationService/ReportPositions"});
  grpc::ClientContext context;
  ReportPositionsResponse response;
  const auto stream = stub_->ReportPositions(&context, &response);
  ASSERT_TRUE(stream->Write({}));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_THAT(FindNearest("city"), IsOk());
  WaitUntil("x_rpc_calls_total", {{"method", "FindNearest"}}, 1);
  EXPECT_EQ(Sum(Read(), "x_rpc_calls_total", {{"method", "ReportPositions"}}), 0);
}

TEST_F(RpcMetricsTest, SampledCallsAreExemplarsOfTheirDuration) {
  auto& spans = tracing::testing::RecordedSpans::OfProcess();
  spans.Clear();
  Start();
  const auto newest = [] {
    const BucketExemplars* const exemplars =
        Exemplars::OfProcess().Find("x_rpc_seconds", {{"method", "FindNearest"}, {"code", "OK"}});
    std::optional<Exemplar> found;
    for (std::size_t i = 0; exemplars != nullptr && i <= SecondsOfACall().size(); ++i) {
      const auto of_bucket = exemplars->Find(i);
      if (of_bucket && (!found || of_bucket->at > found->at)) found = of_bucket;
    }
    return found;
  };
  EXPECT_THAT(FindNearest("city"), IsOk());
  WaitUntil("x_rpc_calls_total", {{"method", "FindNearest"}}, 1);
  const tracing::SpanData sampled =
      spans.Await(tracing::SpanKind::kServer, "ridestream.location.v1.LocationService/FindNearest");
  // Exemplars are kept after the call was counted.
  const auto is_kept = [&] {
    const auto found = newest();
    return found && found->trace == sampled.context.trace_id;
  };
  while (!is_kept()) std::this_thread::yield();
  EXPECT_GT(newest()->value, 0);
  // A call that isn't sampled has no trace.
  constexpr auto kMethod = "/ridestream.location.v1.LocationService/FindNearest";
  metrics_.CallBegan(kMethod);
  metrics_.CallEnded(kMethod, grpc::StatusCode::OK, 1ms, {});
  EXPECT_EQ(newest()->trace, sampled.context.trace_id);
  spans.Clear();
}

TEST_F(RpcMetricsTest, OtherServicesCountAsOther) {
  metrics_.CallBegan("/grpc.health.v1.Health/Check");
  EXPECT_EQ(Sum(Read(), "x_rpc_open", {{"method", "other"}}), 1);
  metrics_.CallEnded("/grpc.health.v1.Health/Check", grpc::StatusCode::OK, 1ms, {});
  EXPECT_EQ(Sum(Read(), "x_rpc_calls_total", {{"method", "other"}, {"code", "OK"}}), 1);
  EXPECT_EQ(Sum(Read(), "x_rpc_seconds", {{"method", "other"}}), 0);
}

}  // namespace
}  // namespace ridestream::metrics
