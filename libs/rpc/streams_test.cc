// The three kinds of long-lived streams, each against a server that fails in a way that the stream
// must survive.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <string>

#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/client_streams.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/server.h"
#include "libs/streams/follow_stream.h"
#include "libs/streams/report_stream.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;
using location::v1::LocationService;
using location::v1::ReportPositionsRequest;
using location::v1::ReportPositionsResponse;
using location::v1::WatchAreaRequest;
using location::v1::WatchAreaResponse;
using Viewer = PushStream<WatchAreaResponse>;

/// Records the markets of received batches; pushes frames when the test says so; reports opened
/// streams to the test.
class FakeLocation final : public LocationService::CallbackService {
 public:
  grpc::ServerReadReactor<ReportPositionsRequest>* ReportPositions(
      grpc::CallbackServerContext*, ReportPositionsResponse*) override {
    return new Reader(*this);
  }
  grpc::ServerWriteReactor<WatchAreaResponse>* WatchArea(grpc::CallbackServerContext*,
                                                         const WatchAreaRequest*) override {
    auto stream = Viewer::Make({.max_queue = 2, .on_done = [this] { Note("done"); }});
    Viewer* raw = stream.get();
    {
      MutexLock lock(mu_);
      viewer_ = std::move(stream);
    }
    Note("open");
    return raw;
  }

  void Note(const std::string& what) {
    MutexLock lock(mu_);
    notes_.push_back(what);
    changed_.SignalAll();
  }
  /// The next thing that happened.
  std::string Next() {
    MutexLock lock(mu_);
    while (notes_.empty()) changed_.Wait(mu_);
    std::string note = notes_.front();
    notes_.pop_front();
    return note;
  }
  /// The next event, or "" if there is none for a while: then the test has to act.
  std::string NextIfAny() {
    MutexLock lock(mu_);
    if (notes_.empty()) changed_.WaitFor(mu_, 10ms);
    if (notes_.empty()) return "";
    std::string note = notes_.front();
    notes_.pop_front();
    return note;
  }
  std::shared_ptr<Viewer> viewer() {
    MutexLock lock(mu_);
    return viewer_;
  }

 private:
  class Reader final : public grpc::ServerReadReactor<ReportPositionsRequest> {
   public:
    explicit Reader(FakeLocation& owner) : owner_(owner) { StartRead(&request_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      owner_.Note(request_.market());
      if (request_.market() == "break") {
        return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "as asked"));
      }
      StartRead(&request_);
    }
    void OnDone() override { delete this; }

   private:
    FakeLocation& owner_;
    ReportPositionsRequest request_;
  };

  Mutex mu_;
  CondVar changed_;
  std::deque<std::string> notes_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<Viewer> viewer_ ABSL_GUARDED_BY(mu_);
};

WatchAreaResponse Frame(const std::string& gone) {
  WatchAreaResponse frame;
  frame.add_gone_driver_ids(gone);
  return frame;
}

class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest()
      : server_(*Server::Start({.services = {&location_}})),
        // Over a socket, because a write on the in-process transport waits forever for a reader
        // that has ended.
        stub_(LocationService::NewStub(MakeChannel(fmt::format("127.0.0.1:{}", server_->port())))) {
  }

  FakeLocation location_;
  TimerQueue timers_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<LocationService::Stub> stub_;
};

/// Data waiting to be reported, as the owner of a ReportStream keeps it.
struct Outbox {
  Mutex mu;
  std::deque<std::string> waiting ABSL_GUARDED_BY(mu);

  void Add(const std::string& market) {
    MutexLock lock(mu);
    waiting.push_back(market);
  }
  bool Fill(ReportPositionsRequest* request) {
    MutexLock lock(mu);
    if (waiting.empty()) return false;
    request->set_market(waiting.front());
    waiting.pop_front();
    return true;
  }
};

TEST_F(StreamsTest, ReportsAreSentInOrderAndContinueAfterABreak) {
  Outbox outbox;
  using Transport = ClientWriteStream<ReportPositionsRequest, ReportPositionsResponse>;
  const Transport::Start start = [&](auto* context, auto* response, auto* reactor) {
    stub_->async()->ReportPositions(context, response, reactor);
  };
  streams::ReportStream<ReportPositionsRequest> stream(
      timers_,
      {.open = [&](auto& listener) { return std::make_unique<Transport>(start, listener); },
       .fill = [&](auto* request) { return outbox.Fill(request); },
       .linger = 1ms,
       .reopen_after = 1ms,
       .on_end = [&](const absl::Status&) { location_.Note("ended"); }});
  for (const char* market : {"a", "b", "c"}) outbox.Add(market);
  stream.Wake();
  EXPECT_EQ(location_.Next(), "a");
  EXPECT_EQ(location_.Next(), "b");
  EXPECT_EQ(location_.Next(), "c");
  outbox.Add("break");
  stream.Wake();
  EXPECT_EQ(location_.Next(), "break");
  // Batches sent into the broken stream may be lost; a batch sent after it has been reopened is
  // not.
  bool ended = false;
  while (!ended) {
    outbox.Add("lost");
    stream.Wake();
    ended = location_.NextIfAny() == "ended";
  }
  outbox.Add("again");
  stream.Wake();
  while (location_.Next() != "again") {
  }
  stream.Stop();
}

TEST_F(StreamsTest, FollowerReopensAtItsOwnersPosition) {
  std::atomic<int> opened = 0;
  using Transport = ClientReadStream<WatchAreaRequest, WatchAreaResponse>;
  const Transport::Start start = [&](auto* context, auto* request, auto* reactor) {
    ++opened;
    request->set_market("m");
    stub_->async()->WatchArea(context, request, reactor);
  };
  streams::FollowStream<WatchAreaResponse> stream(
      timers_,
      {.open = [&](auto& listener) { return std::make_unique<Transport>(start, listener); },
       .on_message =
           [&](WatchAreaResponse& frame) {
             location_.Note("got " + frame.gone_driver_ids(0));
             return frame.gone_driver_ids(0) != "refuse";
           },
       .reopen_after = 1ms});
  EXPECT_EQ(location_.Next(), "open");
  location_.viewer()->Push(Frame("x"));
  EXPECT_EQ(location_.Next(), "got x");
  location_.viewer()->Close(grpc::Status(grpc::StatusCode::UNAVAILABLE, "restart"));
  std::vector<std::string> next = {location_.Next(), location_.Next()};
  std::sort(next.begin(), next.end());
  EXPECT_EQ(next, (std::vector<std::string>{"done", "open"}));
  EXPECT_EQ(opened, 2);
  location_.viewer()->Push(Frame("refuse"));
  EXPECT_EQ(location_.Next(), "got refuse");
  next = {location_.Next(), location_.Next()};
  std::sort(next.begin(), next.end());
  EXPECT_EQ(next, (std::vector<std::string>{"done", "open"})) << "what isn't taken opens it again";
  stream.Stop();
}

TEST_F(StreamsTest, PushesThatMayNotBeLostEndASlowReadersStream) {
  grpc::ClientContext context;
  SetTimeout(context, 20s);
  const auto reader = stub_->WatchArea(&context, WatchAreaRequest());
  EXPECT_EQ(location_.Next(), "open");
  // Much more than the transport and the two places in the queue hold, and nobody reads.
  WatchAreaResponse large;
  large.add_gone_driver_ids(std::string(100'000, 'x'));
  for (int i = 0; i < 1'000; ++i) location_.viewer()->Push(large);
  WatchAreaResponse frame;
  while (reader->Read(&frame)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(StreamsTest, TheLatestReplacesTheQueued) {
  grpc::ClientContext context;
  SetTimeout(context, 20s);
  const auto reader = stub_->WatchArea(&context, WatchAreaRequest());
  EXPECT_EQ(location_.Next(), "open");
  for (int i = 0; i <= 1'000; ++i) location_.viewer()->Replace(Frame(std::to_string(i)));
  location_.viewer()->Close(grpc::Status::OK);
  WatchAreaResponse frame;
  int last = -1;
  while (reader->Read(&frame)) {
    const int now = std::stoi(frame.gone_driver_ids(0));
    EXPECT_GT(now, last);
    last = now;
  }
  EXPECT_EQ(last, 1'000) << "the newest is never lost";
  EXPECT_TRUE(reader->Finish().ok());
}

}  // namespace
}  // namespace ridestream::rpc
