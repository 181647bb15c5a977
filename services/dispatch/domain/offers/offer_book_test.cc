#include "services/dispatch/domain/offers/offer_book.h"

#include <gtest/gtest.h>

namespace ridestream::dispatch {
namespace {

TEST(OfferBookTest, FindsAnOfferByItsIdDriverAndTripUntilItIsClosed) {
  OfferBook book("p-");
  const OfferId id = book.NextId();
  OpenOffer& offer = book.Open({id, DriverId("d"), TripId("t"), {}, {}, {}});
  EXPECT_EQ(book.Find(id), &offer);
  EXPECT_EQ(book.OfDriver(DriverId("d")), &offer);
  EXPECT_EQ(book.OfTrip(TripId("t")), &offer);
  EXPECT_EQ(book.OfDriver(DriverId("other")), nullptr);

  EXPECT_EQ(book.Close(id).trip, TripId("t"));
  EXPECT_EQ(book.Find(id), nullptr);
  EXPECT_EQ(book.OfDriver(DriverId("d")), nullptr);
  EXPECT_EQ(book.OfTrip(TripId("t")), nullptr);
}

TEST(OfferBookTest, IdsBearThePrefixAndNeverRepeat) {
  OfferBook book("m-7.");
  EXPECT_EQ(book.NextId(), OfferId("m-7.1"));
  EXPECT_EQ(book.NextId(), OfferId("m-7.2"));
}

TEST(OfferBookTest, OffersStayWhereTheyAreWhileOthersComeAndGo) {
  OfferBook book("");
  const OfferId first = book.NextId();
  OpenOffer* const offer = &book.Open({first, DriverId("d"), TripId("t"), {}, {}, {}});
  for (int i = 0; i < 1'000; ++i) {
    const OfferId id = book.NextId();
    book.Open({id, DriverId("d" + id.str()), TripId("t" + id.str()), {}, {}, {}});
    if (i % 2 == 0) book.Close(id);
  }
  EXPECT_EQ(book.OfDriver(DriverId("d")), offer);
  EXPECT_EQ(offer->id, first);
}

}  // namespace
}  // namespace ridestream::dispatch
