import java.nio.file.Files;
import java.nio.file.Path;
import org.ridestream.client.Connection;
import org.ridestream.client.Driver;
import org.ridestream.client.DriverListener;
import org.ridestream.dispatch.v1.Hello;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Stop;
import org.ridestream.dispatch.v1.StopKind;

/** A driver who accepts everything, and is at each stop at once: AcceptEverything LAT LNG. */
public class AcceptEverything implements DriverListener {
  public static void main(String[] args) throws Exception {
    Path token = Path.of(System.getenv("RIDESTREAM_TOKEN_FILE"));
    Connection connection = Connection.to(System.getenv("RIDESTREAM_ADDRESS"))
                                .token(() -> Files.readString(token).strip())
                                .roots(Path.of(System.getenv("RIDESTREAM_ROOTS")))
                                .build();
    Hello shift = Hello.newBuilder().setMarket("city").setSeats(4).setName("Grace").build();
    try (Driver driver = Driver.begin(connection, shift, new AcceptEverything())) {
      driver.moveTo(Double.parseDouble(args[0]), Double.parseDouble(args[1]));
      driver.ended().join();
    }
  }

  @Override
  public void onOffer(Driver driver, Offer offer) {
    driver.accept(offer.getOfferId());
  }

  @Override
  public void onPlan(Driver driver, Plan plan) {
    if (plan.getStopsCount() == 0) return;
    Stop stop = plan.getStops(0);
    driver.moveTo(stop.getPlace().getLatE7() / 1e7, stop.getPlace().getLngE7() / 1e7);
    if (stop.getKind() == StopKind.STOP_KIND_DROP_OFF) {
      driver.droppedOff(stop.getTripId());
    } else if (stop.getArrived()) {
      driver.pickedUp(stop.getTripId());
    } else {
      driver.arrived(stop.getTripId());
    }
  }
}
