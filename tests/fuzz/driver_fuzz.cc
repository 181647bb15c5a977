// Everything that a driver may send, against its session and its market: a stream of DriveRequest
// messages, each after its length as protobuf delimits them. An empty message advances time by 5 s;
// a Hello opens a new stream. The rest of the world behaves correctly: trip, location and the
// streets.

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "services/dispatch/domain/market/testing/market_tester.h"
#include "services/dispatch/domain/session/drive_request_checks.h"
#include "services/dispatch/domain/session/session.h"
#include "tests/fuzz/delimited.h"

namespace ridestream::dispatch {
namespace {

constexpr char kDriver[] = "d";
constexpr Duration kPause = std::chrono::seconds(5);

/// Aborts if something is false that no input may make false.
void Require(bool holds) {
  if (!holds) std::abort();
}

class World {
 public:
  World() {
    market_.Request("t-1");
    market_.Request("t-2", 2);
  }

  /// Handles a message like DriveStream. Returns false if the stream ends.
  bool Take(const v1::DriveRequest& request) {
    if (request.has_hello()) return Connect(request.hello());
    if (!session_.connected() || !ValidateCommand(request).ok()) return false;
    switch (request.message_case()) {
      case v1::DriveRequest::kPosition:
        session_.OnHeard(market_.now());
        if (session_.OnPosition(request.position(), market_.now()) == PositionVerdict::kAccepted) {
          Require(session_.position()->IsValid());
          market_.Handle(DriverMoved{DriverId(kDriver), *session_.position()});
        }
        break;
      case v1::DriveRequest::kAck:
        return session_.Ack(request.ack().sequence()).ok();
      case v1::DriveRequest::kOfferAnswer:
        market_.Handle(OfferAnswered{DriverId(kDriver), request.offer_answer()});
        break;
      case v1::DriveRequest::kStopUpdate:
        market_.Handle(StopUpdated{DriverId(kDriver), request.stop_update()});
        break;
      case v1::DriveRequest::kGiveUp:
        market_.Handle(TripGivenUp{DriverId(kDriver), request.give_up()});
        break;
      case v1::DriveRequest::kHeartbeat:
        session_.OnHeard(market_.now());
        break;
      case v1::DriveRequest::kEndShift:
        market_.Handle(ShiftEnded{DriverId(kDriver), session_.epoch()});
        break;
      default:
        PassTime();
    }
    return true;
  }

  /// Runs until nobody has anything to send.
  void Settle() {
    bool quiet = false;
    while (!quiet) {
      quiet = market_.CarryOut() == 0;
      market_.DeliverLog();
      quiet &= !AnswerQuestions();
    }
    for (const SendWelcome& welcome : market_.Take<SendWelcome>()) {
      session_.Welcome(welcome.epoch, welcome.driver, welcome.snapshot, market_.now());
      last_sent_ = 0;
    }
    for (Push& push : market_.Take<Push>()) {
      // A voided session is closed, and the driver must reconnect.
      if (!session_.Push(std::move(push.message)).ok()) Disconnect();
    }
    for (const EndSession& end : market_.Take<EndSession>()) {
      if (end.epoch == session_.epoch()) Drop();
    }
    market_.TakeAll();
    Read();
  }

  void Disconnect() {
    if (!session_.connected()) return;
    session_.Disconnect(session_.epoch());
    market_.Handle(DriverDisconnected{DriverId(kDriver), session_.epoch()});
  }

 private:
  bool Connect(const v1::Hello& hello) {
    if (!ValidateHello(hello).ok()) return false;
    const std::uint64_t before = session_.epoch();
    const std::uint64_t epoch = session_.Connect(hello, SessionId("s"), market_.now());
    Require(epoch > before);
    market_.Handle(DriverConnected{DriverId(kDriver), epoch, session_.resumed(), hello});
    return true;
  }

  void Drop() {
    session_ = Session(config_);
    market_.Handle(SessionDropped{DriverId(kDriver)});
  }

  void PassTime() {
    market_.Pass(kPause);
    if (session_.BecameSuspect(market_.now())) {
      market_.Handle(DriverSuspect{DriverId(kDriver)});
    }
  }

  bool AnswerQuestions() {
    const auto rounds = market_.Take<FindCandidates>();
    for (const FindCandidates& round : rounds) {
      std::vector<CandidatesFound::ForTrip> answers;
      for (const auto& query : round.queries) {
        answers.push_back(
            {query.trip, {{DriverId(kDriver), MarketTester::kCar, std::chrono::seconds(60)}}});
      }
      market_.Handle(CandidatesFound{round.round, std::move(answers)});
    }
    const auto routes = market_.Take<FindRoute>();
    for (const FindRoute& route : routes) {
      market_.Handle(RouteFound{route.driver, route.request, MakeWay(route.from, route.stops)});
    }
    // The next round of candidates is due only when time passes, so it doesn't count as activity.
    return !rounds.empty() || !routes.empty();
  }

  void Read() {
    v1::DriveResponse message;
    while (session_.NextToSend(&message)) {
      if (message.sequence() == 0) continue;
      Require(last_sent_ == 0 || message.sequence() == last_sent_ + 1);
      last_sent_ = message.sequence();
    }
    Require(session_.unacked() <= config_.max_unacked);
  }

  const SessionConfig config_;
  MarketTester market_;
  Session session_{config_};
  std::uint64_t last_sent_ = 0;
};

}  // namespace
}  // namespace ridestream::dispatch

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream::dispatch;
  google::protobuf::io::ArrayInputStream stream(data, static_cast<int>(size));
  World world;
  world.Settle();
  while (const auto request = ridestream::fuzz::NextMessage<v1::DriveRequest>(stream)) {
    if (!world.Take(*request)) world.Disconnect();
    world.Settle();
  }
  return 0;
}
