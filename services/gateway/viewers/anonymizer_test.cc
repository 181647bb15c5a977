#include "services/gateway/viewers/anonymizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "libs/base/validation.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/auth/v1/policy.pb.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/market/v1/market.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

constexpr char kSecret[] = "a secret that has 32 bytes or so";

TEST(PseudonymsTest, AreEqualOnlyForTheSameIdAndSecret) {
  const auto ours = *Pseudonyms::FromSecret(kSecret);
  EXPECT_EQ(ours.Hide("d-1"), Pseudonyms::FromSecret(kSecret)->Hide("d-1"));
  EXPECT_NE(ours.Hide("d-1"), ours.Hide("d-2"));
  EXPECT_NE(ours.Hide("d-1"), Pseudonyms::Random()->Hide("d-1"));
  EXPECT_NE(Pseudonyms::Random()->Hide("d-1"), Pseudonyms::Random()->Hide("d-1"));
  EXPECT_EQ(ours.Hide(""), "");
  EXPECT_THAT(Pseudonyms::FromSecret("short"),
              StatusIs(StatusCode::kInvalidArgument, "at least 32 bytes"));
}

TEST(PseudonymsTest, AreIdsThatOnlyTheirSecretReverses) {
  const auto ours = *Pseudonyms::FromSecret(kSecret);
  const auto others = *Pseudonyms::Random();
  for (const std::size_t length : {1u, 15u, 16u, 17u, 32u, 64u}) {
    const std::string id(length, 'x');
    const std::string pseudonym = ours.Hide(id);
    EXPECT_EQ(ours.Reveal(pseudonym), id);
    EXPECT_EQ(others.Reveal(pseudonym), std::nullopt);
    EXPECT_LE(pseudonym.size(), 107u);
    EXPECT_TRUE(length > 32 || IsId(pseudonym)) << pseudonym;
  }
  EXPECT_EQ(ours.Hide("d-1").size(), ours.Hide("driver-12345").size()) << "the length is hidden";
}

TEST(PseudonymsTest, RevealNothingForOtherTexts) {
  const auto ours = *Pseudonyms::FromSecret(kSecret);
  EXPECT_EQ(ours.Reveal(""), std::nullopt);
  EXPECT_EQ(ours.Reveal("d-1"), std::nullopt);
  EXPECT_EQ(ours.Reveal(std::string(43, 'A')), std::nullopt);
  const std::string pseudonym = ours.Hide("d-1");
  EXPECT_EQ(ours.Reveal(pseudonym + "A"), std::nullopt);
  for (std::size_t i = 0; i < pseudonym.size(); ++i) {
    std::string altered = pseudonym;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(ours.Reveal(altered), std::nullopt) << i;
  }
}

/// Adds "Passenger.name" for each text field below `type` that has this treatment.
void CollectTexts(const Anonymizer& anonymizer, const Descriptor& type, TextTreatment treatment,
                  std::set<const Descriptor*>& seen, std::set<std::string>& texts) {
  if (!seen.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.message_type() != nullptr) {
      CollectTexts(anonymizer, *field.message_type(), treatment, seen, texts);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
               anonymizer.TreatmentOf(field) == treatment) {
      texts.insert(type.name() + "." + field.name());
    }
  }
}

class AnonymizerTest : public ::testing::Test {
 protected:
  /// The text fields with this treatment in all answers that a policy makes anonymous.
  std::set<std::string> Texts(TextTreatment treatment) const {
    std::set<const Descriptor*> seen;
    std::set<std::string> texts;
    for (const auto* file :
         {trip::v1::Trip::descriptor()->file(), location::v1::NearbyDriver::descriptor()->file(),
          dispatch::v1::DriveRequest::descriptor()->file(),
          market::v1::Market::descriptor()->file()}) {
      for (int i = 0; i < file->service_count(); ++i) {
        for (int j = 0; j < file->service(i)->method_count(); ++j) {
          const auto& method = *file->service(i)->method(j);
          if (method.options().GetExtension(auth::v1::policy).anonymous().empty()) continue;
          CollectTexts(anonymizer_, *method.output_type(), treatment, seen, texts);
        }
      }
    }
    return texts;
  }

  const Anonymizer anonymizer_{*Pseudonyms::FromSecret(kSecret)};
};

// A new text field in an answer to viewers fails this test until a list below has it.
TEST_F(AnonymizerTest, HasATreatmentForEveryTextThatViewersGet) {
  EXPECT_THAT(
      Texts(TextTreatment::kLeaveOut),
      ElementsAre("Cancellation.comment", "Driver.name", "GetDriverResponse.name", "GiveUp.reason",
                  "Passenger.name", "Passenger.note", "Rejected.message", "Release.note",
                  "Trip.traceparent", "Trip.x_request_id", "Vehicle.plate"));
  EXPECT_THAT(Texts(TextTreatment::kHideDriver),
              ElementsAre("Cancellation.by_driver_id", "Driver.driver_id",
                          "ImplausibleStep.driver_id", "NearbyDriver.driver_id", "Offer.driver_id",
                          "Plan.driver_id", "Release.driver_id", "Trip.released_driver_ids",
                          "WatchAreaResponse.gone_driver_ids"));
  EXPECT_THAT(Texts(TextTreatment::kHideRider),
              ElementsAre("Cancellation.by_rider_id", "Passenger.rider_id"));
  EXPECT_THAT(Texts(TextTreatment::kKeep),
              ElementsAre("AnsweredCommand.given_up_trip_id", "Cancellation.by_service_id",
                          "GetDriverResponse.market", "GiveUp.trip_id", "Money.currency_code",
                          "Offer.offer_id", "Offer.trip_id", "OfferAnswer.offer_id",
                          "OfferEnded.offer_id", "OfferEnded.trip_id", "Stop.trip_id",
                          "StopUpdate.trip_id", "Tariff.currency_code", "Trip.market",
                          "Trip.offer_id", "Trip.trip_id", "Vehicle.model"));
}

TEST_F(AnonymizerTest, KeepsTheTraceOfATripOnlyWhereThePageLinksToIt) {
  trip::v1::Trip trip;
  trip.set_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  trip::v1::Trip kept = trip;
  anonymizer_.Anonymize(trip);
  EXPECT_EQ(trip.traceparent(), "");
  Anonymizer(*Pseudonyms::FromSecret(kSecret), /*keep_traces=*/true).Anonymize(kept);
  EXPECT_EQ(kept.traceparent(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

TEST_F(AnonymizerTest, RemovesNamesAtAnyDepth) {
  dispatch::v1::GetDriverResponse driver;
  driver.set_market("city");
  driver.set_name("Jane Doe");
  driver.mutable_vehicle()->set_model("Prius");
  driver.mutable_vehicle()->set_plate("RS 1");
  auto& stop = *driver.add_pushes()->mutable_plan()->add_stops();
  stop.set_trip_id("t-1");
  stop.mutable_passenger()->set_rider_id("ada");
  stop.mutable_passenger()->set_name("Ada L.");
  stop.mutable_passenger()->set_party_size(2);
  driver.GetReflection()->MutableUnknownFields(&driver)->AddLengthDelimited(99, "secret");
  anonymizer_.Anonymize(driver);
  dispatch::v1::GetDriverResponse expected;
  expected.set_market("city");
  expected.mutable_vehicle()->set_model("Prius");
  auto& known = *expected.add_pushes()->mutable_plan()->add_stops();
  known.set_trip_id("t-1");
  known.mutable_passenger()->set_rider_id("anonymous");
  known.mutable_passenger()->set_party_size(2);
  EXPECT_EQ(driver.DebugString(), expected.DebugString());
}

TEST_F(AnonymizerTest, UsesOnePseudonymForADriverInAllFields) {
  const std::string pseudonym = anonymizer_.pseudonyms().Hide("d-1");
  location::v1::WatchAreaResponse frame;
  frame.add_drivers()->set_driver_id("d-1");
  frame.add_gone_driver_ids("d-2");
  frame.add_gone_driver_ids("d-1");
  anonymizer_.Anonymize(frame);
  EXPECT_EQ(frame.drivers(0).driver_id(), pseudonym);
  EXPECT_EQ(frame.gone_driver_ids(1), pseudonym);
  dispatch::v1::GetDriverRequest request;
  request.set_driver_id(pseudonym);
  EXPECT_THAT(anonymizer_.Reveal(request), IsOk());
  EXPECT_EQ(request.driver_id(), "d-1");
}

TEST_F(AnonymizerTest, RefusesRealIdsInRequests) {
  dispatch::v1::GetDriverRequest request;
  request.set_driver_id("d-1");
  EXPECT_THAT(anonymizer_.Reveal(request), StatusIs(StatusCode::kNotFound, "driver_id"));
}

TEST_F(AnonymizerTest, HandlesAFrameOfThousandsOfDrivers) {
  location::v1::WatchAreaResponse frame;
  for (int i = 0; i < 5'000; ++i) {
    frame.add_drivers()->set_driver_id(fmt::format("d-{}", i));
  }
  const auto start = std::chrono::steady_clock::now();
  anonymizer_.Anonymize(frame);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  fmt::print("5,000 drivers took {:.1f} ms\n", took.count());
  EXPECT_EQ(frame.drivers(4'999).driver_id(), anonymizer_.pseudonyms().Hide("d-4999"));
}

}  // namespace
}  // namespace ridestream::gateway
