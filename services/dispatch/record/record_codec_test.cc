#include "services/dispatch/record/record_codec.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>

#include "libs/testing/status_matchers.h"

namespace ridestream::dispatch {
namespace {

using ridestream::testing::StatusIs;
using std::chrono::milliseconds;

constexpr LatLng kPlace{407'500'000, -739'800'000};

InsertionFound SomeInsertion() {
  return {DriverId("d-2"), 7,
          Insertion{.pickup_after = 1,
                    .dropoff_after = 2,
                    .added = milliseconds(3),
                    .pickup_at = ScaledClock::kAnchor,
                    .dropoff_at = ScaledClock::kAnchor + milliseconds(4),
                    .cost = -milliseconds(5)}};
}

/// At least one of each kind, and both outcomes of those that have two.
std::vector<Event> SomeOfEachKind() {
  v1::Hello hello;
  hello.set_seats(4);
  v1::OfferAnswer answer;
  answer.set_offer_id("o-1");
  v1::StopUpdate update;
  update.set_trip_id("t-1");
  v1::GiveUp give_up;
  give_up.set_trip_id("t-1");
  TripLogged logged;
  logged.event.set_sequence(9);
  trip::v1::Trip trip;
  trip.set_trip_id("t-1");
  CandidatesFound::ForTrip for_trip{
      TripId("t-1"), {{DriverId("d-1"), kPlace, milliseconds(6)}}, {SomeInsertion()}};
  CandidatesFound::ForMove moved{TripId("t-2"), milliseconds(8), {SomeInsertion()}};
  CandidatesFound::ForMove freed = moved;
  freed.freed = {TripId("t-3"), SomeInsertion()};
  RouteFound::Way way;
  way.route.add_lat_e7(1);
  way.route.add_lng_e7(2);
  way.to_stop = {milliseconds(1), milliseconds(2)};
  const DriverId driver("d-1");
  return {DriverConnected{driver, 3, true, hello},
          DriverDisconnected{driver, 4},
          DriverSuspect{driver},
          DriverHeard{driver},
          SessionDropped{driver},
          DriverMoved{driver, kPlace},
          OfferAnswered{driver, answer},
          StopUpdated{driver, update},
          TripGivenUp{driver, give_up},
          ShiftEnded{driver, 5},
          logged,
          LogCaughtUp{},
          CandidatesFound{11, std::vector{for_trip}, {moved, freed}},
          CandidatesFound{12, absl::UnavailableError("location is away \xff")},
          RouteFound{driver, 13, way},
          RouteFound{driver, 14, absl::NotFoundError("no way")},
          CommandDone{15, trip},
          CommandDone{16, absl::AbortedError("stale")},
          FleetSurveyed{{{driver, kPlace}, {DriverId("d-2"), {-1, 1}}}},
          Wake{}};
}

TEST(RecordCodecTest, EachKindOfEventIsReadAsItWasWritten) {
  std::set<std::size_t> kinds;
  for (const Event& event : SomeOfEachKind()) {
    record::Event written;
    Encode(event, written);
    SCOPED_TRACE(written.ShortDebugString());
    const auto read = Decode(written);
    ASSERT_THAT(read, testing::IsOk());
    EXPECT_EQ(read->index(), event.index());
    record::Event again;
    Encode(*read, again);
    EXPECT_EQ(again.SerializeAsString(), written.SerializeAsString());
    kinds.insert(event.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Event>);
}

TEST(RecordCodecTest, CandidatesKeepEveryValue) {
  const Event event = SomeOfEachKind()[12];
  record::Event written;
  Encode(event, written);
  const auto read = Decode(written);
  ASSERT_THAT(read, testing::IsOk());
  const auto& found = std::get<CandidatesFound>(*read);
  EXPECT_EQ(found.round, 11u);
  ASSERT_EQ(found.trips->size(), 1u);
  EXPECT_EQ((*found.trips)[0].candidates[0].position, kPlace);
  EXPECT_EQ((*found.trips)[0].candidates[0].travel_time, milliseconds(6));
  EXPECT_EQ((*found.trips)[0].insertions[0].insertion, SomeInsertion().insertion);
  EXPECT_EQ((*found.trips)[0].insertions[0].plan_revision, 7u);
  ASSERT_EQ(found.moves.size(), 2u);
  EXPECT_EQ(found.moves[0].freed, std::nullopt);
  EXPECT_EQ(found.moves[1].spared, milliseconds(8));
  ASSERT_TRUE(found.moves[1].freed);
  EXPECT_EQ(found.moves[1].freed->trip, TripId("t-3"));
  EXPECT_EQ(found.moves[1].freed->into.insertion, SomeInsertion().insertion);
}

TEST(RecordCodecTest, RejectsEventsThatItDoesNotKnow) {
  EXPECT_THAT(Decode(record::Event()), StatusIs(absl::StatusCode::kInvalidArgument, "event"));
  record::Event done;
  done.mutable_done()->mutable_error();
  EXPECT_THAT(Decode(done), StatusIs(absl::StatusCode::kInvalidArgument, "error without a code"));
  record::Event candidates;
  candidates.mutable_candidates()->mutable_error()->set_code(14);
  candidates.mutable_candidates()->add_trips();
  EXPECT_THAT(Decode(candidates), StatusIs(absl::StatusCode::kInvalidArgument, "beside an answer"));
}

/// A setting that is neither written nor read would be the default's in every replay.
TEST(RecordCodecTest, EverySettingIsReadAsItWasWritten) {
  record::Settings written;
  const auto* reflection = record::Settings::GetReflection();
  const auto* descriptor = record::Settings::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    switch (field->cpp_type()) {
      case google::protobuf::FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&written, field, 1'000 + i);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(&written, field, 1);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE:
        reflection->SetDouble(&written, field, 0.5 + i);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(&written, field, "o-");
        break;
      default:
        FAIL() << field->full_name() << " has a type that this test doesn't fill";
    }
  }
  const auto config = Decode(written);
  ASSERT_THAT(config, testing::IsOk());
  EXPECT_EQ(Encode(*config).ShortDebugString(), written.ShortDebugString());
}

TEST(RecordCodecTest, RejectsSettingsThatItDoesNotKnow) {
  record::Settings settings = Encode(MarketConfig());
  settings.set_matching(99);
  EXPECT_THAT(Decode(settings), StatusIs(absl::StatusCode::kInvalidArgument, "matching: 99"));
}

}  // namespace
}  // namespace ridestream::dispatch
