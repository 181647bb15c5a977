// LocationService on a real server, called by clients.

#include "services/location/rpc/location_service.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::location {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::string>;

constexpr std::int32_t kLatE7 = 407'500'000;
constexpr std::int32_t kLngE7 = -739'500'000;
// Longer than any test takes, so that a call that hangs fails.
constexpr std::chrono::seconds kTimeout{30};

const rpc::Caller kOperator{rpc::CallerKind::kOperator, "o"};

/// Trusts the caller's claim, and binds every caller to one market.
class BindingAuthenticator final : public rpc::Authenticator {
 public:
  explicit BindingAuthenticator(std::string market) : market_(std::move(market)) {}
  absl::StatusOr<rpc::Proof> Authenticate(const grpc::ServerContextBase& context) const override {
    absl::StatusOr<rpc::Proof> proof = trusting_.Authenticate(context);
    if (proof.ok()) proof->principal.market = market_;
    return proof;
  }
  absl::Status CheckOpenStream(const rpc::Proof&) const override { return absl::OkStatus(); }
  std::string description() const override { return trusting_.description(); }

 private:
  const std::string market_;
  const rpc::TrustingAuthenticator trusting_;
};

class LocationServiceTest : public ::testing::Test {
 protected:
  using FrameReader = std::unique_ptr<grpc::ClientReader<v1::WatchAreaResponse>>;

  void Start(const LocationConfig& config = {}) { Start(config, authenticator_); }
  void Start(const LocationConfig& config, const rpc::Authenticator& authenticator) {
    server_.reset();
    service_.reset();
    handlers_ = std::make_unique<LocationHandlers>(
        LocationHandlers::Options{.config = config, .clock = clock_, .timers = timers_});
    service_ = std::make_unique<LocationService>(*handlers_, authenticator);
    auto server = rpc::Server::Start(
        {.services = {service_.get()}, .on_drain = {[this] { handlers_->Drain(); }}});
    ASSERT_THAT(server, ridestream::testing::IsOk());
    server_ = *std::move(server);
    stub_ = v1::LocationService::NewStub(
        rpc::MakeChannel(fmt::format("127.0.0.1:{}", server_->port())));
  }

  ~LocationServiceTest() override {
    // Destroyed after the service that calls it.
    server_.reset();
  }

  // A position in the middle of the area.
  v1::PositionReport Position(const std::string& driver_id) {
    v1::PositionReport position;
    position.set_driver_id(driver_id);
    position.set_session_epoch(1);
    position.set_sequence(++sequence_);
    position.set_received_at_us(
        static_cast<std::uint64_t>(clock_.Now().time_since_epoch().count()));
    position.set_lat_e7(kLatE7);
    position.set_lng_e7(kLngE7);
    position.set_state(v1::DRIVER_STATE_IDLE);
    position.set_free_seats(4);
    return position;
  }

  grpc::Status Report(const std::vector<v1::PositionReport>& positions,
                      v1::ReportPositionsResponse& response,
                      const rpc::Caller& caller = {rpc::CallerKind::kService, "dispatch"}) {
    v1::ReportPositionsRequest batch;
    batch.set_market("manhattan");
    batch.mutable_positions()->Assign(positions.begin(), positions.end());
    return Report(batch, response, caller);
  }

  grpc::Status Report(const v1::ReportPositionsRequest& batch,
                      v1::ReportPositionsResponse& response,
                      const rpc::Caller& caller = {rpc::CallerKind::kService, "dispatch"}) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, kTimeout);
    rpc::SetCaller(context, caller);
    const auto writer = stub_->ReportPositions(&context, &response);
    writer->Write(batch);
    writer->WritesDone();
    return writer->Finish();
  }

  // Returns after the positions are in the index.
  void Apply(const std::vector<v1::PositionReport>& positions) {
    v1::ReportPositionsResponse response;
    const grpc::Status status = Report(positions, response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(response.applied(), positions.size());
  }

  static v1::FindNearestRequest Nearest(std::uint32_t limit) {
    v1::FindNearestRequest request;
    request.set_market("manhattan");
    v1::NearestQuery& query = *request.add_queries();
    query.mutable_center()->set_lat_e7(kLatE7);
    query.mutable_center()->set_lng_e7(kLngE7);
    query.set_radius_m(2'000);
    query.set_limit(limit);
    return request;
  }

  grpc::Status FindNearest(const v1::FindNearestRequest& request,
                           v1::FindNearestResponse& response) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, kTimeout);
    rpc::SetCaller(context, kOperator);
    return stub_->FindNearest(&context, request, &response);
  }

  FrameReader Watch(grpc::ClientContext& context) {
    rpc::SetTimeout(context, kTimeout);
    rpc::SetCaller(context, kOperator);
    v1::WatchAreaRequest request;
    request.set_market("manhattan");
    request.mutable_south_west()->set_lat_e7(kLatE7 - 100'000);
    request.mutable_south_west()->set_lng_e7(kLngE7 - 100'000);
    request.mutable_north_east()->set_lat_e7(kLatE7 + 100'000);
    request.mutable_north_east()->set_lng_e7(kLngE7 + 100'000);
    request.set_interval_ms(100);
    return stub_->WatchArea(&context, request);
  }

  // Frames arrive at a steady rate even without changes. This skips frames without changes.
  static v1::WatchAreaResponse ReadNews(FrameReader& reader) {
    v1::WatchAreaResponse frame;
    while (reader->Read(&frame)) {
      if (frame.snapshot() || frame.drivers_size() + frame.gone_driver_ids_size() > 0) return frame;
    }
    ADD_FAILURE() << "the stream ended: " << reader->Finish().error_message();
    return {};
  }

  template <class Message>
  static Ids IdsOf(const Message& message) {
    Ids ids;
    for (const v1::NearbyDriver& driver : message.drivers()) ids.push_back(driver.driver_id());
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  ManualClock clock_;
  TimerQueue timers_;
  const rpc::TrustingAuthenticator authenticator_{};
  std::unique_ptr<LocationHandlers> handlers_;
  std::unique_ptr<LocationService> service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::LocationService::Stub> stub_;
  std::uint64_t sequence_ = 0;
};

TEST_F(LocationServiceTest, PositionsAreFoundWhateverTheReportersClockSays) {
  for (const Duration ahead : {45s, -45s, 0s}) {
    SCOPED_TRACE(ahead / 1s);
    Start({.index = {.staleness = 30s}});
    const auto at = [&](Duration ago) {
      return static_cast<std::uint64_t>((clock_.Now() + ahead - ago).time_since_epoch().count());
    };
    v1::ReportPositionsRequest batch;
    batch.set_market("manhattan");
    batch.set_sent_at_us(at(0s));
    for (const auto& [driver, ago] : {std::pair("now", 0s), {"stale", 31s}, {"late", 4s}}) {
      *batch.add_positions() = Position(driver);
      batch.mutable_positions()->rbegin()->set_received_at_us(at(ago));
    }
    v1::ReportPositionsResponse counts;
    ASSERT_TRUE(Report(batch, counts).ok());
    EXPECT_EQ(counts.applied(), 3u);
    v1::FindNearestResponse response;
    ASSERT_TRUE(FindNearest(Nearest(10), response).ok());
    std::map<std::string, std::uint32_t> age_ms;
    for (const auto& driver : response.results(0).drivers()) {
      age_ms[driver.driver_id()] = driver.age_ms();
    }
    EXPECT_EQ(age_ms, (std::map<std::string, std::uint32_t>{{"now", 0}, {"late", 4'000}}));
  }
}

TEST_F(LocationServiceTest, FindsReportedDrivers) {
  Start();
  v1::PositionReport position = Position("d-1");
  position.set_lat_e7(kLatE7 + 10'000);  // 111 m north
  position.set_heading_deg(270);
  position.set_state(v1::DRIVER_STATE_EN_ROUTE);
  Apply({position});
  clock_.Advance(1500ms);
  v1::FindNearestResponse response;
  ASSERT_TRUE(FindNearest(Nearest(5), response).ok());
  ASSERT_EQ(response.results_size(), 1);
  ASSERT_EQ(IdsOf(response.results(0)), Ids{"d-1"});
  const v1::NearbyDriver& driver = response.results(0).drivers(0);
  EXPECT_EQ(driver.position().lat_e7(), kLatE7 + 10'000);
  EXPECT_EQ(driver.position().lng_e7(), kLngE7);
  EXPECT_EQ(driver.distance_m(), 111u);
  EXPECT_EQ(driver.age_ms(), 1500u);
  EXPECT_EQ(driver.state(), v1::DRIVER_STATE_EN_ROUTE);
  EXPECT_EQ(driver.free_seats(), 4u);
  EXPECT_EQ(driver.heading_deg(), 270u);
}

TEST_F(LocationServiceTest, EachPositionIsCounted) {
  Start();
  v1::PositionReport older = Position("d-1");
  v1::PositionReport newer = Position("d-1");
  v1::PositionReport lost = Position("d-2");
  lost.set_lat_e7(2'000'000'000);
  v1::ReportPositionsResponse response;
  ASSERT_TRUE(Report({newer, older, lost, Position("d-3"), Position("")}, response).ok());
  EXPECT_EQ(response.applied(), 2u);
  EXPECT_EQ(response.superseded(), 1u);
  EXPECT_EQ(response.rejected(), 2u);
}

TEST_F(LocationServiceTest, AMalformedBatchEndsTheStream) {
  Start();
  v1::ReportPositionsResponse response;
  const grpc::Status status =
      Report(std::vector<v1::PositionReport>(4'097, Position("d")), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "positions: at most 4096 in a batch, has 4097");
}

TEST_F(LocationServiceTest, OnlyServicesReport) {
  Start();
  v1::ReportPositionsResponse response;
  EXPECT_EQ(Report({Position("d")}, response, {rpc::CallerKind::kDriver, "d"}).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  grpc::ClientContext nobody;
  rpc::SetTimeout(nobody, kTimeout);
  EXPECT_EQ(stub_->ReportPositions(&nobody, &response)->Finish().error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  v1::FindNearestResponse found;
  ASSERT_TRUE(FindNearest(Nearest(5), found).ok());
  EXPECT_EQ(found.results(0).drivers_size(), 0);
}

TEST_F(LocationServiceTest, TheFirstBatchOfAReportIsHeldToTheCallersMarket) {
  const BindingAuthenticator bound_to_porto("porto");
  Start({}, bound_to_porto);
  v1::ReportPositionsResponse response;
  const grpc::Status elsewhere = Report({Position("d")}, response);
  EXPECT_EQ(elsewhere.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(elsewhere.error_message(), "market: the caller is bound to another market");
  EXPECT_EQ(response.applied(), 0u);
  v1::ReportPositionsRequest batch;
  batch.set_market("porto");
  *batch.add_positions() = Position("d");
  EXPECT_TRUE(Report(batch, response).ok());
  EXPECT_EQ(response.applied(), 1u);
}

TEST_F(LocationServiceTest, NamesTheInvalidFieldOfAQuery) {
  Start();
  v1::FindNearestRequest request = Nearest(5);
  request.add_queries()->mutable_center();
  v1::FindNearestResponse response;
  const grpc::Status status = FindNearest(request, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "queries[1].radius_m: must be in 1 to 50000, is 0");
}

TEST_F(LocationServiceTest, QueriesWhoseAnswerExceedsTheMessageLimitAreRefused) {
  Start();
  std::vector<v1::PositionReport> positions;
  constexpr std::size_t kLongestId = 64;
  for (int i = 0; i < 41; ++i) positions.push_back(Position(fmt::format("{:0>{}}", i, kLongestId)));
  Apply(positions);
  v1::FindNearestRequest request = Nearest(1'000);
  while (request.queries_size() < 1'000) *request.add_queries() = request.queries(0);
  v1::FindNearestResponse response;
  EXPECT_EQ(FindNearest(request, response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  for (v1::NearestQuery& query : *request.mutable_queries()) query.set_limit(40);
  EXPECT_TRUE(FindNearest(request, response).ok());
  EXPECT_EQ(response.results_size(), 1'000);
  EXPECT_EQ(response.results(999).drivers_size(), 40);
}

TEST_F(LocationServiceTest, ViewerGetsASnapshotThenChangesAndRemovals) {
  Start();
  Apply({Position("a"), Position("b")});
  grpc::ClientContext context;
  FrameReader reader = Watch(context);
  const v1::WatchAreaResponse snapshot = ReadNews(reader);
  EXPECT_TRUE(snapshot.snapshot());
  EXPECT_EQ(IdsOf(snapshot), (Ids{"a", "b"}));

  v1::PositionReport moved = Position("a");
  moved.set_lng_e7(kLngE7 + 50'000);
  Apply({moved});
  const v1::WatchAreaResponse change = ReadNews(reader);
  EXPECT_FALSE(change.snapshot());
  ASSERT_EQ(IdsOf(change), Ids{"a"});
  EXPECT_EQ(change.drivers(0).position().lng_e7(), kLngE7 + 50'000);

  v1::PositionReport offline = Position("b");
  offline.set_state(v1::DRIVER_STATE_OFFLINE);
  Apply({offline});
  v1::WatchAreaResponse gone = ReadNews(reader);
  ASSERT_EQ(gone.gone_driver_ids_size(), 1);
  EXPECT_EQ(gone.gone_driver_ids(0), "b");

  clock_.Advance(31s);
  gone = ReadNews(reader);
  ASSERT_EQ(gone.gone_driver_ids_size(), 1);
  EXPECT_EQ(gone.gone_driver_ids(0), "a") << "stale";
  context.TryCancel();
}

TEST_F(LocationServiceTest, AViewerGetsFewerNewerFramesThanThereAreChanges) {
  Start();
  constexpr std::uint32_t kChanges = 200;
  grpc::ClientContext context;
  const auto start = std::chrono::steady_clock::now();
  FrameReader reader = Watch(context);
  EXPECT_TRUE(ReadNews(reader).snapshot());
  for (std::uint32_t heading = 1; heading <= kChanges; ++heading) {
    v1::PositionReport turned = Position("d");
    turned.set_heading_deg(heading);
    Apply({turned});
  }
  std::uint32_t frames = 0;
  std::uint32_t heading = 0;
  while (heading < kChanges && !HasFailure()) {
    const v1::WatchAreaResponse frame = ReadNews(reader);
    ASSERT_EQ(IdsOf(frame), Ids{"d"});
    ASSERT_GT(frame.drivers(0).heading_deg(), heading) << "never an older one";
    heading = frame.drivers(0).heading_deg();
    ++frames;
  }
  // Frames never arrive faster than requested, however slow the machine is.
  EXPECT_LE(frames, (std::chrono::steady_clock::now() - start) / 100ms);
  context.TryCancel();
}

TEST_F(LocationServiceTest, AViewerBeyondTheLimitIsRefusedUntilOneLeaves) {
  Start({.max_viewers = 1});
  grpc::ClientContext first_context;
  FrameReader first = Watch(first_context);
  EXPECT_TRUE(ReadNews(first).snapshot());

  grpc::ClientContext second_context;
  FrameReader second = Watch(second_context);
  v1::WatchAreaResponse frame;
  EXPECT_FALSE(second->Read(&frame));
  EXPECT_EQ(second->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(rpc::RetryAfter(second_context, 0ms), 1'000ms);

  first_context.TryCancel();
  for (bool is_open = false; !is_open && !HasFailure();) {
    grpc::ClientContext context;
    FrameReader reader = Watch(context);
    is_open = reader->Read(&frame);
    if (is_open) context.TryCancel();
    const grpc::StatusCode code = reader->Finish().error_code();
    EXPECT_TRUE(is_open || code == grpc::StatusCode::RESOURCE_EXHAUSTED) << code;
  }
}

TEST_F(LocationServiceTest, ServesOnlyItsMarkets) {
  Start({.markets = service::ServedMarkets({"manhattan", "porto"})});
  Apply({Position("d-1")});
  v1::ReportPositionsResponse reported;
  v1::ReportPositionsRequest batch;
  batch.set_market("atlantis");
  const grpc::Status report = Report(batch, reported);
  v1::FindNearestRequest question = Nearest(1);
  v1::FindNearestResponse found;
  EXPECT_TRUE(FindNearest(question, found).ok());
  question.set_market("atlantis");
  const grpc::Status nearest = FindNearest(question, found);
  for (const grpc::Status& status : {report, nearest}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(status.error_message(),
              "market: market 'atlantis' isn't served here, only manhattan, porto");
  }
}

TEST_F(LocationServiceTest, AnAreaWithoutExtentIsRefused) {
  Start();
  grpc::ClientContext context;
  rpc::SetTimeout(context, kTimeout);
  rpc::SetCaller(context, kOperator);
  v1::WatchAreaRequest request;
  request.set_market("manhattan");
  request.mutable_south_west();
  request.mutable_north_east();
  const grpc::Status status = stub_->WatchArea(&context, request)->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(status.error_message().starts_with("north_east: ")) << status.error_message();
}

TEST_F(LocationServiceTest, ADrainClosesAllStreamsWithoutWaitingForTheGrace) {
  Start();
  grpc::ClientContext watch_context;
  FrameReader reader = Watch(watch_context);
  EXPECT_TRUE(ReadNews(reader).snapshot());

  grpc::ClientContext report_context;
  rpc::SetTimeout(report_context, kTimeout);
  rpc::SetCaller(report_context, {rpc::CallerKind::kService, "dispatch"});
  v1::ReportPositionsResponse response;
  const auto writer = stub_->ReportPositions(&report_context, &response);
  v1::ReportPositionsRequest batch;
  batch.set_market("manhattan");
  *batch.add_positions() = Position("d");
  ASSERT_TRUE(writer->Write(batch));
  // The position is in the index, so the stream has begun.
  ASSERT_EQ(IdsOf(ReadNews(reader)), Ids{"d"});

  // The streams have a deadline within the grace period. If Drain waited for them, they would end
  // with it.
  server_->Drain(2 * kTimeout);
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  v1::WatchAreaResponse frame;
  while (reader->Read(&frame)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace ridestream::location
