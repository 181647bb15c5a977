#include "services/dispatch/domain/session/session.h"

#include <gtest/gtest.h>

#include <vector>

#include "libs/proto_values/proto_values.h"
#include "libs/testing/status_matchers.h"
#include "s2/s2latlng.h"

namespace ridestream::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::StatusIs;

v1::Hello GoodHello() {
  v1::Hello hello;
  hello.set_market("city");
  hello.set_seats(4);
  return hello;
}

v1::Hello ResumeOf(const Session& session, std::uint64_t last_sequence) {
  v1::Hello hello = GoodHello();
  hello.mutable_resume()->set_session_id(session.id().str());
  hello.mutable_resume()->set_epoch(session.epoch());
  hello.mutable_resume()->set_last_sequence(last_sequence);
  return hello;
}

v1::DriveResponse PlanPush(std::uint64_t version) {
  v1::DriveResponse message;
  message.mutable_plan()->set_version(version);
  return message;
}

v1::DriveResponse OfferPush(const std::string& id, Time expires_at) {
  v1::DriveResponse message;
  message.mutable_offer()->set_offer_id(id);
  message.mutable_offer()->mutable_expires_at()->set_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(expires_at.time_since_epoch()).count());
  return message;
}

v1::DriveResponse OfferEndedPush(const std::string& id, v1::OfferOutcome outcome) {
  v1::DriveResponse message;
  message.mutable_offer_ended()->set_offer_id(id);
  message.mutable_offer_ended()->set_outcome(outcome);
  return message;
}

class SessionTest : public ::testing::Test {
 protected:
  std::uint64_t Begin() { return Connect(GoodHello()); }
  std::uint64_t Connect(const v1::Hello& hello) {
    const std::uint64_t epoch =
        session_.Connect(hello, SessionId("s-" + std::to_string(++ids_)), now_);
    session_.Welcome(epoch, DriverId("d-1"), {}, now_);
    return epoch;
  }
  std::vector<v1::DriveResponse> SendAll() {
    std::vector<v1::DriveResponse> sent;
    v1::DriveResponse message;
    while (session_.NextToSend(&message)) sent.push_back(message);
    return sent;
  }
  PositionVerdict Report(double north_m, std::uint64_t sequence) {
    const LatLng place = OffsetBy(LatLng::FromDegrees(45, -30), north_m, 0);
    v1::Position position;
    position.set_sequence(sequence);
    position.set_lat_e7(place.lat_e7);
    position.set_lng_e7(place.lng_e7);
    return session_.OnPosition(position, now_);
  }

  SessionConfig config_{.max_unacked = 4};
  Session session_{config_};
  Time now_ = ScaledClock::kAnchor;
  int ids_ = 0;
};

TEST_F(SessionTest, NothingIsSentBeforeTheWelcome) {
  const std::uint64_t epoch = session_.Connect(GoodHello(), SessionId("s"), now_);
  ASSERT_THAT(session_.Push(PlanPush(1)), IsOk());
  EXPECT_TRUE(SendAll().empty());
  session_.Welcome(epoch, DriverId("d-1"), {}, now_);
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 1u) << "what was pushed before the snapshot is void";
  EXPECT_TRUE(sent[0].has_welcome());
  EXPECT_FALSE(sent[0].welcome().resumed());
}

TEST_F(SessionTest, PushesAreNumberedFromOneWithoutHoles) {
  Begin();
  for (std::uint64_t version = 1; version <= 3; ++version) {
    ASSERT_THAT(session_.Push(PlanPush(version)), IsOk());
  }
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 4u);
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(sent[i].sequence(), i);
}

TEST_F(SessionTest, ResumeSendsUnackedPushesOnceInOrder) {
  Begin();
  for (std::uint64_t version = 1; version <= 4; ++version) {
    ASSERT_THAT(session_.Push(PlanPush(version)), IsOk());
  }
  SendAll();
  ASSERT_THAT(session_.Ack(1), IsOk());
  session_.Disconnect(session_.epoch());
  Connect(ResumeOf(session_, 2));
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_TRUE(sent[0].welcome().resumed());
  EXPECT_EQ(sent[1].sequence(), 3u);
  EXPECT_EQ(sent[2].plan().version(), 4u);
  EXPECT_TRUE(SendAll().empty());
}

TEST_F(SessionTest, ReportsPushesThatAResumptionAcksOnce) {
  Begin();
  for (std::uint64_t version = 1; version <= 4; ++version) {
    ASSERT_THAT(session_.Push(PlanPush(version)), IsOk());
  }
  SendAll();
  std::vector<std::uint64_t> acked;
  const auto note = [&acked](const v1::DriveResponse& push) {
    acked.push_back(push.plan().version());
  };
  ASSERT_THAT(session_.Ack(1, note), IsOk());
  session_.Disconnect(session_.epoch());
  session_.Connect(ResumeOf(session_, 3), SessionId("s"), now_, note);
  EXPECT_EQ(acked, (std::vector<std::uint64_t>{1, 2, 3}));
  session_.Connect(GoodHello(), SessionId("t"), now_, note);
  EXPECT_EQ(acked, (std::vector<std::uint64_t>{1, 2, 3})) << "a fresh session acks nothing";
}

TEST_F(SessionTest, APushWhileAwayWaitsForTheResume) {
  Begin();
  SendAll();
  session_.Disconnect(session_.epoch());
  ASSERT_THAT(session_.Push(PlanPush(7)), IsOk());
  EXPECT_TRUE(SendAll().empty());
  Connect(ResumeOf(session_, 0));
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].plan().version(), 7u);
}

TEST_F(SessionTest, AnOfferThatRanOutComesBackAsItsEndUnderItsNumber) {
  Begin();
  ASSERT_THAT(session_.Push(OfferPush("o-1", now_ + 10s)), IsOk());
  SendAll();
  session_.Disconnect(session_.epoch());
  now_ += 11s;
  Connect(ResumeOf(session_, 0));
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].sequence(), 1u);
  EXPECT_EQ(sent[1].offer_ended().offer_id(), "o-1");
  EXPECT_EQ(sent[1].offer_ended().outcome(), v1::OFFER_OUTCOME_EXPIRED);
}

TEST_F(SessionTest, AnOfferThatWasEndedWhileAwayIsNotOfferedAgain) {
  Begin();
  ASSERT_THAT(session_.Push(OfferPush("o-1", now_ + 60s)), IsOk());
  session_.Disconnect(session_.epoch());
  ASSERT_THAT(session_.Push(OfferEndedPush("o-1", v1::OFFER_OUTCOME_RIDER_CANCELLED)), IsOk());
  Connect(ResumeOf(session_, 0));
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 3u);
  for (std::size_t i = 1; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].sequence(), i);
    EXPECT_EQ(sent[i].offer_ended().outcome(), v1::OFFER_OUTCOME_RIDER_CANCELLED);
  }
}

TEST_F(SessionTest, AnOfferStillOpenIsSentAgain) {
  Begin();
  ASSERT_THAT(session_.Push(OfferPush("o-1", now_ + 60s)), IsOk());
  session_.Disconnect(session_.epoch());
  Connect(ResumeOf(session_, 0));
  EXPECT_TRUE(SendAll().at(1).has_offer());
}

TEST_F(SessionTest, ANewerStreamFencesTheOlder) {
  const std::uint64_t older = Begin();
  const std::uint64_t newer = Connect(ResumeOf(session_, 0));
  EXPECT_GT(newer, older);
  session_.Disconnect(older);
  EXPECT_TRUE(session_.connected()) << "the late end of the old stream removed the new one";
}

TEST_F(SessionTest, AWelcomeForAnOlderEpochIsIgnored) {
  const std::uint64_t older = session_.Connect(GoodHello(), SessionId("s"), now_);
  session_.Connect(GoodHello(), SessionId("t"), now_);
  session_.Welcome(older, DriverId("d-1"), {}, now_);
  EXPECT_TRUE(SendAll().empty());
}

TEST_F(SessionTest, EpochsContinueAfterTheDriversLast) {
  v1::Hello hello = GoodHello();
  hello.mutable_resume()->set_session_id("of-another-process");
  hello.mutable_resume()->set_epoch(41);
  EXPECT_EQ(Connect(hello), 42u);
  EXPECT_FALSE(session_.resumed());
}

TEST_F(SessionTest, StartsANewSessionWhenResumeIsImpossible) {
  Begin();
  ASSERT_THAT(session_.Push(PlanPush(1)), IsOk());
  SendAll();
  ASSERT_THAT(session_.Ack(1), IsOk());
  Connect(ResumeOf(session_, 0));
  EXPECT_FALSE(session_.resumed()) << "push 1 was let go of after its ack";
  Connect(ResumeOf(session_, 9));
  EXPECT_FALSE(session_.resumed()) << "9 was never sent";
}

TEST_F(SessionTest, TooManyUnackedPushesVoidTheSession) {
  Begin();
  for (std::uint64_t version = 1; version <= 4; ++version) {
    ASSERT_THAT(session_.Push(PlanPush(version)), IsOk());
  }
  EXPECT_THAT(session_.Push(PlanPush(5)),
              StatusIs(absl::StatusCode::kResourceExhausted, "unacked"));
  Connect(ResumeOf(session_, 0));
  EXPECT_FALSE(session_.resumed()) << "the snapshot must replace what was lost";
}

TEST_F(SessionTest, AnAckOfWhatWasNeverSentIsRefused) {
  Begin();
  ASSERT_THAT(session_.Push(PlanPush(1)), IsOk());
  EXPECT_THAT(session_.Ack(1), StatusIs(absl::StatusCode::kInvalidArgument, "ack.sequence"));
  SendAll();
  EXPECT_THAT(session_.Ack(1), IsOk());
  EXPECT_THAT(session_.Ack(1), IsOk()) << "acks are cumulative and may repeat";
  EXPECT_THAT(session_.Ack(2), StatusIs(absl::StatusCode::kInvalidArgument, "never sent"));
}

TEST_F(SessionTest, SendsHeartbeatsOnlyWhenNothingElseIsSent) {
  Begin();
  SendAll();
  session_.SendHeartbeat();
  session_.SendHeartbeat();
  ASSERT_EQ(SendAll().size(), 1u);
  session_.SendHeartbeat();
  ASSERT_THAT(session_.Push(PlanPush(1)), IsOk());
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].has_plan());
}

TEST_F(SessionTest, PositionsAreTakenInTheSessionsOrder) {
  Begin();
  EXPECT_EQ(Report(0, 5), PositionVerdict::kAccepted);
  EXPECT_EQ(Report(10, 5), PositionVerdict::kLate);
  EXPECT_EQ(Report(10, 4), PositionVerdict::kLate);
  EXPECT_EQ(Report(10, 7), PositionVerdict::kAccepted);
}

TEST_F(SessionTest, DeviceClockIsIgnored) {
  Begin();
  v1::Position position;
  position.set_sequence(1);
  position.set_device_time_ms(~0ull);
  EXPECT_EQ(session_.OnPosition(position, now_), PositionVerdict::kAccepted);
  position.set_sequence(2);
  position.set_device_time_ms(0);  // The clock was corrected.
  EXPECT_EQ(session_.OnPosition(position, now_), PositionVerdict::kAccepted);
}

TEST_F(SessionTest, AJumpIsHeldBackUntilFurtherFixesAgree) {
  Begin();
  EXPECT_EQ(Report(0, 1), PositionVerdict::kAccepted);
  now_ += 4s;
  EXPECT_EQ(Report(5'000, 2), PositionVerdict::kHeldBack);
  now_ += 4s;
  EXPECT_EQ(Report(50, 3), PositionVerdict::kAccepted) << "it was a glitch";
  now_ += 4s;
  EXPECT_EQ(Report(5'000, 4), PositionVerdict::kHeldBack);
  now_ += 4s;
  EXPECT_EQ(Report(5'050, 5), PositionVerdict::kHeldBack);
  now_ += 4s;
  EXPECT_EQ(Report(5'100, 6), PositionVerdict::kAccepted) << "three fixes agree";
}

TEST_F(SessionTest, ContradictoryPositionsAreHeldBack) {
  Begin();
  EXPECT_EQ(Report(0, 1), PositionVerdict::kAccepted);
  for (std::uint64_t i = 0; i < 6; ++i) {
    now_ += 4s;
    EXPECT_EQ(Report(i % 2 == 0 ? 9'000 : 20'000, 2 + i), PositionVerdict::kHeldBack);
  }
}

TEST_F(SessionTest, InvalidPlacesAreRefused) {
  Begin();
  v1::Position position;
  position.set_sequence(1);
  position.set_lat_e7(900'000'001);
  EXPECT_EQ(session_.OnPosition(position, now_), PositionVerdict::kOutOfRange);
}

TEST_F(SessionTest, WelcomeHasTheServicesTime) {
  session_.Welcome(session_.Connect(GoodHello(), SessionId("s"), now_ - 1s), DriverId("d-1"), {},
                   now_);
  const auto sent = SendAll();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(FromProto(sent[0].welcome().server_time()), now_);
}

TEST_F(SessionTest, ASessionWithoutAPositionIsForgottenSooner) {
  Begin();
  session_.Disconnect(session_.epoch());
  EXPECT_FALSE(session_.MayBeDropped(now_ + config_.suspect_after - 1s));
  EXPECT_TRUE(session_.MayBeDropped(now_ + config_.suspect_after));

  Begin();
  ASSERT_EQ(Report(0, 1), PositionVerdict::kAccepted);
  session_.Disconnect(session_.epoch());
  EXPECT_FALSE(session_.MayBeDropped(now_ + config_.drop_after - 1s));
  EXPECT_TRUE(session_.MayBeDropped(now_ + config_.drop_after));
}

TEST_F(SessionTest, MorePositionsThanADriverMaySendAreDropped) {
  Begin();
  std::uint64_t sequence = 0;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Report(0, ++sequence), PositionVerdict::kAccepted);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Report(0, ++sequence), PositionVerdict::kTooMany);
  now_ += 100ms;
  EXPECT_EQ(Report(0, ++sequence), PositionVerdict::kAccepted);
  EXPECT_EQ(Report(0, ++sequence), PositionVerdict::kTooMany);
}

TEST_F(SessionTest, SilenceMakesTheDriverSuspectOnceUntilTheNextMessage) {
  Begin();
  now_ += config_.suspect_after - 1s;
  EXPECT_FALSE(session_.BecameSuspect(now_));
  now_ += 1s;
  EXPECT_TRUE(session_.BecameSuspect(now_));
  EXPECT_FALSE(session_.BecameSuspect(now_));
  EXPECT_TRUE(session_.OnHeard(now_));
  EXPECT_FALSE(session_.OnHeard(now_));
}

TEST_F(SessionTest, OnlyASessionWithoutAStreamIsDropped) {
  Begin();
  now_ += 2 * config_.drop_after;
  EXPECT_FALSE(session_.MayBeDropped(now_));
  session_.Disconnect(session_.epoch());
  EXPECT_TRUE(session_.MayBeDropped(now_));
}

TEST_F(SessionTest, HeartbeatIsAtMostHalfOfTheTimeUntilSuspect) {
  for (const Duration suspect_after :
       {Duration(std::chrono::seconds(4)), SessionConfig().suspect_after,
        Duration(std::chrono::hours(1))}) {
    SessionConfig config;
    config.suspect_after = suspect_after;
    Session session(config);
    const std::uint64_t epoch = session.Connect(GoodHello(), SessionId("s"), now_);
    session.Welcome(epoch, DriverId("d-1"), {}, now_);
    v1::DriveResponse message;
    ASSERT_TRUE(session.NextToSend(&message));
    const auto& heartbeat = message.welcome().heartbeat();
    const Duration every = std::chrono::seconds(heartbeat.seconds()) +
                           std::chrono::microseconds(heartbeat.nanos() / 1'000);
    EXPECT_GT(every, Duration::zero());
    EXPECT_LE(every, suspect_after / 2);
  }
}

TEST_F(SessionTest, ASessionThatHasYetToConnectIsNeitherSuspectNorDropped) {
  EXPECT_FALSE(session_.BecameSuspect(now_));
  EXPECT_FALSE(session_.MayBeDropped(now_));
}

S2LatLngRect AreaBetween(double south, double west, double north, double east) {
  return S2LatLngRect(S2LatLng::FromDegrees(south, west), S2LatLng::FromDegrees(north, east));
}

v1::Position PositionAt(std::uint64_t sequence, double lat, double lng) {
  const LatLng place = LatLng::FromDegrees(lat, lng);
  v1::Position position;
  position.set_sequence(sequence);
  position.set_lat_e7(place.lat_e7);
  position.set_lng_e7(place.lng_e7);
  return position;
}

TEST_F(SessionTest, RefusesPlacesOutsideTheAreaHoweverOftenTheyAreRepeated) {
  const S2LatLngRect area = AreaBetween(44.9, -30.2, 45.1, -29.8);
  Session session(config_, &area);
  session.Connect(GoodHello(), SessionId("s"), now_);
  std::uint64_t sequence = 0;
  for (const auto& [lat, lng] : {std::pair(0.0, 0.0), std::pair(0.0, -30.0), std::pair(45.0, 0.0),
                                 std::pair(-80.0, 100.0), std::pair(45.2, -30.0)}) {
    ASSERT_EQ(session.OnPosition(PositionAt(++sequence, 45, -30), now_),
              PositionVerdict::kAccepted);
    for (int i = 0; i < 5; ++i) {
      now_ += 4s;
      EXPECT_EQ(session.OnPosition(PositionAt(++sequence, lat, lng), now_),
                PositionVerdict::kOutOfRange)
          << lat << "," << lng;
    }
    EXPECT_EQ(session.position(), LatLng::FromDegrees(45, -30)) << "the last good one stays";
    now_ += 4s;
  }
}

TEST_F(SessionTest, AreaMayLieAcrossTheAntimeridian) {
  const S2LatLngRect area = AreaBetween(-18, 179.5, -16, -179.5);
  Session session(config_, &area);
  session.Connect(GoodHello(), SessionId("s"), now_);
  EXPECT_EQ(session.OnPosition(PositionAt(1, -17, 179.999), now_), PositionVerdict::kAccepted);
  now_ += 4s;
  EXPECT_EQ(session.OnPosition(PositionAt(2, -17, -179.999), now_), PositionVerdict::kAccepted);
  EXPECT_EQ(session.OnPosition(PositionAt(3, -17, 178), now_), PositionVerdict::kOutOfRange);
  EXPECT_EQ(session.OnPosition(PositionAt(4, -17, 0), now_), PositionVerdict::kOutOfRange);
}

TEST_F(SessionTest, LimitsCommandsAndLetsThemInAgainWithTime) {
  Begin();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(session_.HasRoomForCommand(now_));
  EXPECT_FALSE(session_.HasRoomForCommand(now_));
  now_ += 100ms;
  EXPECT_TRUE(session_.HasRoomForCommand(now_));
  EXPECT_FALSE(session_.HasRoomForCommand(now_));
  Connect(ResumeOf(session_, 0));
  EXPECT_FALSE(session_.HasRoomForCommand(now_)) << "a new stream brings no new allowance";
}

}  // namespace
}  // namespace ridestream::dispatch
