#include "services/dispatch/rpc/ride_spans.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/tracing/testing/recorded_spans.h"

namespace ridestream::dispatch {
namespace {

using tracing::testing::RecordedSpans;

constexpr char kRequest[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class RideSpansTest : public ::testing::Test {
 protected:
  void Handle(const Event& event, const std::vector<Decision>& decisions = {}) {
    spans_.Handling(event, {});
    spans_.Decided(decisions);
    spans_.Handled(event, {});
  }
  /// The trip t-1 is requested, and offered to d-1. Returns the offer's push.
  Push Offer(const std::string& offer) {
    trip::v1::TripEvent requested;
    requested.mutable_trip()->set_trip_id("t-1");
    requested.mutable_trip()->set_state(trip::v1::TRIP_STATE_REQUESTED);
    requested.mutable_trip()->set_version(1);
    requested.mutable_trip()->set_traceparent(kRequest);
    spans_.OnRead(requested);
    Push push{.driver = DriverId("d-1"), .message = {}};
    push.message.mutable_offer()->set_offer_id(offer);
    push.message.mutable_offer()->set_trip_id("t-1");
    Handle(TripLogged{requested}, {push});
    return push;
  }
  std::vector<std::string> Ended() const {
    std::vector<std::string> names;
    for (const tracing::SpanData& span : recorded_->all()) names.push_back(span.name);
    return names;
  }

  const std::shared_ptr<RecordedSpans> recorded_ = std::make_shared<RecordedSpans>();
  const tracing::Tracer tracer_{{.clock = std::make_shared<ScaledClock>(), .sink = recorded_}};
  RideSpans spans_{tracer_, "city"};
};

TEST_F(RideSpansTest, AnOfferIsTheParentOfCallsUntilItEnds) {
  Offer("o-1");
  EXPECT_NE(spans_.TraceOf("t-1"), kRequest);
  EXPECT_THAT(Ended(), ::testing::IsEmpty());
  Push ended{.driver = DriverId("d-1"), .message = {}};
  ended.message.mutable_offer_ended()->set_offer_id("o-1");
  ended.message.mutable_offer_ended()->set_trip_id("t-1");
  ended.message.mutable_offer_ended()->set_outcome(v1::OFFER_OUTCOME_EXPIRED);
  Handle(Wake{}, {ended});
  EXPECT_THAT(Ended(), ::testing::ElementsAre("ridestream.offer.answer", "ridestream.ride.offer"));
  EXPECT_EQ(spans_.TraceOf("t-1"), kRequest);
}

TEST_F(RideSpansTest, EndsTheOfferOfADriverWhoseSessionIsDropped) {
  Offer("o-1");
  Handle(SessionDropped{DriverId("d-2")});
  EXPECT_THAT(Ended(), ::testing::IsEmpty());
  Handle(SessionDropped{DriverId("d-1")});
  EXPECT_THAT(Ended(), ::testing::ElementsAre("ridestream.offer.answer", "ridestream.ride.offer"));
  EXPECT_EQ(spans_.TraceOf("t-1"), kRequest);
}

TEST_F(RideSpansTest, MakesOneSpanOfAPushWhenItIsAcked) {
  const Push offered = Offer("o-1");
  spans_.OnAck(offered.driver, offered.message);
  EXPECT_THAT(Ended(), ::testing::ElementsAre("ridestream.offer.push"));
  spans_.OnAck(offered.driver, offered.message);
  EXPECT_THAT(Ended(), ::testing::SizeIs(1)) << "the push was forgotten";
}

TEST_F(RideSpansTest, ForgetsAnOfferWhoseEndIsAckedInItsPlace) {
  const Push offered = Offer("o-1");
  // A resumption sends the end of an offer that ran out under the offer's number.
  Push ended{.driver = offered.driver, .message = {}};
  ended.message.mutable_offer_ended()->set_offer_id("o-1");
  spans_.OnAck(ended.driver, ended.message);
  spans_.OnAck(offered.driver, offered.message);
  EXPECT_THAT(Ended(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace ridestream::dispatch
