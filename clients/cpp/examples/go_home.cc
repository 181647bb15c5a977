// A rider who goes home: go_home LAT LNG LAT LNG, from where they are to where they live.
#include "app.h"
#include "ridestream/client/place.h"
#include "ridestream/client/rider.h"

namespace trip = ridestream::trip::v1;
using ridestream::client::Place;
using ridestream::client::Rider;

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  Rider rider(app::Connection());
  trip::QuoteTripRequest ride;
  ride.set_market("city");
  ride.set_party_size(1);
  *ride.mutable_pickup() = Place(std::stod(argv[1]), std::stod(argv[2]));
  *ride.mutable_dropoff() = Place(std::stod(argv[3]), std::stod(argv[4]));
  const trip::QuoteTripResponse quote = app::Check(rider.Quote(ride));
  const auto& total = quote.fare().total();
  std::cout << static_cast<double>(total.amount_minor()) / 100 << ' ' << total.currency_code()
            << '\n';
  trip::RequestTripRequest request;
  request.set_quote_id(quote.quote_id());
  request.set_rider_name("Ada");
  request.set_note("blue coat");
  const auto watch = app::Check(rider.Watch(app::Check(rider.Request(request)).trip_id()));
  while (const auto update = watch->Next()) {
    std::cout << trip::TripState_Name(update->trip().state()) << ' '
              << update->trip().driver().name() << '\n';
  }
  app::Check(watch->status());
}
