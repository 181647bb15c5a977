import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.ridestream.client.Connection;
import org.ridestream.client.Places;
import org.ridestream.client.Rider;
import org.ridestream.client.TripWatch;
import org.ridestream.trip.v1.QuoteTripRequest;
import org.ridestream.trip.v1.QuoteTripResponse;
import org.ridestream.trip.v1.RequestTripRequest;
import org.ridestream.trip.v1.Trip;
import org.ridestream.trip.v1.WatchTripResponse;

/** A rider who goes home: GoHome LAT LNG LAT LNG, from where they are to where they live. */
public class GoHome {
  public static void main(String[] args) throws Exception {
    Path token = Path.of(System.getenv("RIDESTREAM_TOKEN_FILE"));
    Connection connection = Connection.to(System.getenv("RIDESTREAM_ADDRESS"))
                                .token(() -> Files.readString(token).strip())
                                .roots(Path.of(System.getenv("RIDESTREAM_ROOTS")))
                                .build();
    double[] degrees = Stream.of(args).mapToDouble(Double::parseDouble).toArray();
    QuoteTripRequest.Builder ride = QuoteTripRequest.newBuilder().setMarket("city").setPartySize(1);
    ride.setPickup(Places.of(degrees[0], degrees[1]));
    ride.setDropoff(Places.of(degrees[2], degrees[3]));
    try (Rider rider = new Rider(connection)) {
      QuoteTripResponse quote = rider.quote(ride.build());
      System.out.println(quote.getFare().getTotal());
      RequestTripRequest.Builder wish = RequestTripRequest.newBuilder();
      wish.setQuoteId(quote.getQuoteId()).setRiderName("Ada").setNote("blue coat");
      Trip trip = rider.request(wish.build());
      try (TripWatch watch = rider.watch(trip.getTripId())) {
        for (WatchTripResponse update : watch) {
          System.out.printf(
              "%s %s%n", update.getTrip().getState(), update.getTrip().getDriver().getName());
        }
      }
    }
  }
}
