#include "services/trip/domain/fare.h"

#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::trip {
namespace {

using testing::IsOk;
using testing::StatusIs;

v1::Tariff MakeTariff(std::int64_t base, std::int64_t per_km, std::int64_t per_minute) {
  v1::Tariff tariff;
  tariff.set_currency_code("USD");
  tariff.set_base_minor(base);
  tariff.set_per_km_minor(per_km);
  tariff.set_per_minute_minor(per_minute);
  return tariff;
}

TEST(FareTest, EachPartIsRoundedHalfUp) {
  struct Case {
    v1::Tariff tariff;
    std::uint32_t length_m;
    int duration_ms;
    std::int64_t distance_part, time_part, total;
  };
  const Case cases[] = {
      {MakeTariff(250, 175, 35), 0, 0, 0, 0, 250},
      {MakeTariff(250, 175, 35), 4'000, 600'000, 700, 350, 1'300},
      {MakeTariff(0, 1, 1), 499, 29'999, 0, 0, 0},
      {MakeTariff(0, 1, 1), 500, 30'000, 1, 1, 2},
      {MakeTariff(10, 100, 60), 12'345, 61'500, 1'235, 62, 1'307},
  };
  for (const Case& c : cases) {
    const v1::Fare fare = MakeFare(c.tariff, c.length_m, std::chrono::milliseconds(c.duration_ms));
    SCOPED_TRACE(fare.DebugString());
    EXPECT_EQ(fare.distance_part_minor(), c.distance_part);
    EXPECT_EQ(fare.time_part_minor(), c.time_part);
    EXPECT_EQ(fare.total().amount_minor(), c.total);
    EXPECT_EQ(fare.total().currency_code(), "USD");
    EXPECT_EQ(fare.length_m(), c.length_m);
    EXPECT_EQ(fare.duration().seconds() * 1000 + fare.duration().nanos() / 1'000'000,
              c.duration_ms);
  }
}

TEST(FareTest, LargestRatesDoNotOverflow) {
  const v1::Tariff tariff = MakeTariff(kMaxRateMinor, kMaxRateMinor, kMaxRateMinor);
  ASSERT_THAT(ValidateTariff(tariff), IsOk());
  const v1::Fare fare = MakeFare(tariff, UINT32_MAX, std::chrono::hours(24 * 30));
  EXPECT_EQ(fare.total().amount_minor(),
            kMaxRateMinor + std::int64_t{UINT32_MAX} * 1'000'000 + kMaxRateMinor * 43'200);
  v1::Tariff dearest = tariff;
  dearest.set_surge_percent(1'000);
  EXPECT_EQ(MakeFare(dearest, UINT32_MAX, std::chrono::hours(24 * 30)).total().amount_minor(),
            10 * fare.total().amount_minor());
}

TEST(FareTest, WrongTariffIsNamed) {
  EXPECT_THAT(ValidateTariff(MakeTariff(-1, 0, 0)),
              StatusIs(absl::StatusCode::kInvalidArgument, "tariff.base_minor"));
  EXPECT_THAT(ValidateTariff(MakeTariff(0, kMaxRateMinor + 1, 0)),
              StatusIs(absl::StatusCode::kInvalidArgument, "tariff.per_km_minor"));
  EXPECT_THAT(ValidateTariff(MakeTariff(0, 0, -7)),
              StatusIs(absl::StatusCode::kInvalidArgument, "tariff.per_minute_minor"));
  v1::Tariff tariff = MakeTariff(1, 1, 1);
  tariff.set_currency_code("usd");
  EXPECT_THAT(ValidateTariff(tariff),
              StatusIs(absl::StatusCode::kInvalidArgument, "tariff.currency_code"));
}

TEST(FareTest, SurgeIsASeparateLineAndIsDiscountedWhenShared) {
  v1::Tariff tariff = MakeTariff(250, 175, 35);
  tariff.set_shared_discount_percent(25);
  tariff.set_surge_percent(130);
  const v1::Fare fare = MakeFare(tariff, 4'002, std::chrono::minutes(10));
  EXPECT_EQ(fare.distance_part_minor(), 700);
  EXPECT_EQ(fare.surge_minor(), 390);
  EXPECT_EQ(fare.total().amount_minor(), 1'690);
  const v1::Fare shared = MakeFare(tariff, 4'002, std::chrono::minutes(10), /*shared=*/true);
  EXPECT_EQ(shared.surge_minor(), 390);
  EXPECT_EQ(shared.shared_discount_minor(), 423) << "422.5 rounded half up";
  EXPECT_EQ(shared.total().amount_minor(), 1'267);
  for (const std::uint32_t none : {0U, 100U}) {
    tariff.set_surge_percent(none);
    EXPECT_THAT(ValidateTariff(tariff), IsOk());
    EXPECT_EQ(MakeFare(tariff, 4'002, std::chrono::minutes(10)).surge_minor(), 0);
  }
  for (const std::uint32_t wrong : {99U, 1'001U}) {
    tariff.set_surge_percent(wrong);
    EXPECT_THAT(ValidateTariff(tariff),
                StatusIs(absl::StatusCode::kInvalidArgument, "tariff.surge_percent"));
  }
}

TEST(FareTest, SharedRideIsDiscounted) {
  v1::Tariff tariff = MakeTariff(250, 175, 35);
  tariff.set_shared_discount_percent(25);
  const v1::Fare fare = MakeFare(tariff, 4'002, std::chrono::minutes(10), /*shared=*/true);
  EXPECT_EQ(fare.distance_part_minor(), 700);
  EXPECT_EQ(fare.shared_discount_minor(), 325);
  EXPECT_EQ(fare.total().amount_minor(), 975);
  EXPECT_EQ(MakeFare(tariff, 4'002, std::chrono::minutes(10)).total().amount_minor(), 1'300);
  tariff.set_shared_discount_percent(101);
  EXPECT_THAT(ValidateTariff(tariff),
              StatusIs(absl::StatusCode::kInvalidArgument, "shared_discount_percent"));
}

}  // namespace
}  // namespace ridestream::trip
