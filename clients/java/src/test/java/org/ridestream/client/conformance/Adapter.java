package org.ridestream.client.conformance;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.grpc.Status;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.ridestream.client.CallFailedException;
import org.ridestream.client.CommandRejectedException;
import org.ridestream.client.Connection;
import org.ridestream.client.Driver;
import org.ridestream.client.DriverStoppedException;
import org.ridestream.client.ProtocolException;
import org.ridestream.client.Rider;
import org.ridestream.client.TripWatch;
import org.ridestream.common.v1.LatLng;
import org.ridestream.dispatch.v1.GiveUpCause;
import org.ridestream.dispatch.v1.Hello;
import org.ridestream.trip.v1.CancelReason;
import org.ridestream.trip.v1.CancelTripRequest;
import org.ridestream.trip.v1.ChangeDestinationRequest;
import org.ridestream.trip.v1.QuoteTripRequest;
import org.ridestream.trip.v1.RequestTripRequest;
import org.ridestream.trip.v1.WatchTripResponse;

/**
 * Executes the commands of the conformance run with this library; see tests/conformance/README.md.
 */
public final class Adapter {
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().omittingInsignificantWhitespace();

  private final PrintStream output =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
  private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  });
  private final Map<String, OpenDriver> drivers = new ConcurrentHashMap<>();
  private final Map<String, Rider> riders = new ConcurrentHashMap<>();

  private record OpenDriver(Driver driver, Events events) {}

  public static void main(String[] args) throws IOException {
    Adapter adapter = new Adapter();
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonObject request = JsonParser.parseString(line).getAsJsonObject();
      adapter.threads.execute(() -> adapter.answer(request));
    }
    adapter.drivers.values().forEach(open -> open.driver().close());
    adapter.riders.values().forEach(Rider::close);
  }

  private synchronized void write(JsonObject message) {
    output.println(message);
  }

  void writeEvent(String handle, String event, JsonElement data) {
    JsonObject message = new JsonObject();
    message.addProperty("handle", handle);
    message.addProperty("event", event);
    message.add("data", data);
    write(message);
  }

  static JsonElement toJson(MessageOrBuilder message) {
    try {
      return JsonParser.parseString(PRINTER.print(message));
    } catch (InvalidProtocolBufferException failure) {
      throw new IllegalStateException(failure);
    }
  }

  static JsonElement toJson(Throwable error) {
    if (error instanceof CompletionException && error.getCause() != null) error = error.getCause();
    if (error instanceof CallFailedException status) {
      return failure("status", status.code(), status.description());
    }
    if (error instanceof CommandRejectedException rejected) {
      return failure("rejected", rejected.code(), rejected.description());
    }
    String kind = error instanceof DriverStoppedException ? "stopped" : "bug";
    if (error instanceof ProtocolException) kind = "protocol";
    JsonObject failure = new JsonObject();
    failure.addProperty("kind", kind);
    failure.addProperty("message", kind.equals("bug") ? error.toString() : error.getMessage());
    return failure;
  }

  private static JsonObject failure(String kind, Status.Code code, String message) {
    JsonObject failure = new JsonObject();
    failure.addProperty("kind", kind);
    failure.addProperty("code", code.name());
    failure.addProperty("message", message);
    return failure;
  }

  private void answer(JsonObject request) {
    JsonObject answer = new JsonObject();
    answer.add("id", request.get("id"));
    try {
      answer.add("result", perform(request));
    } catch (Exception failure) {
      answer.add("error", toJson(failure));
    }
    write(answer);
  }

  private JsonElement perform(JsonObject request) throws Exception {
    String op = text(request, "op");
    if (op.equals("driver_open")) return openDriver(request);
    if (op.startsWith("driver_")) return performDriver(op, request);
    if (op.equals("rider_open")) {
      Duration patience =
          Duration.ofMillis(Math.round(request.get("patience_s").getAsDouble() * 1e3));
      riders.put(text(request, "handle"), new Rider(connection(request), patience));
      return JsonNull.INSTANCE;
    }
    return performRider(op, request);
  }

  private JsonElement openDriver(JsonObject request) throws IOException {
    Hello shift = Hello.newBuilder()
                      .setMarket(text(request, "market"))
                      .setSeats(request.get("seats").getAsInt())
                      .setName(text(request, "name"))
                      .build();
    String handle = text(request, "handle");
    Events events = new Events(this, handle);
    drivers.put(handle, new OpenDriver(Driver.begin(connection(request), shift, events), events));
    return JsonNull.INSTANCE;
  }

  private JsonElement performDriver(String op, JsonObject request) {
    OpenDriver open = drivers.get(text(request, "handle"));
    switch (op) {
      case "driver_move":
        double[] place = degrees(request, "place");
        open.driver().moveTo(place[0], place[1]);
        return JsonNull.INSTANCE;
      case "driver_read":
        open.events().setReading(request.get("on").getAsBoolean());
        return JsonNull.INSTANCE;
      case "driver_close":
        open.driver().close();
        return JsonNull.INSTANCE;
      case "driver_command":
        Object effect =
            execute(open.driver(), text(request, "command"), text(request, "target")).join();
        return effect instanceof MessageOrBuilder message ? toJson(message) : JsonNull.INSTANCE;
      default:
        throw new IllegalArgumentException("op " + op + " is unknown");
    }
  }

  private static CompletableFuture<?> execute(Driver driver, String command, String target) {
    switch (command) {
      case "accept":
        return driver.accept(target);
      case "decline":
        return driver.decline(target);
      case "arrived":
        return driver.arrived(target);
      case "picked_up":
        return driver.pickedUp(target);
      case "dropped_off":
        return driver.droppedOff(target);
      case "give_up":
        return driver.giveUp(target, GiveUpCause.GIVE_UP_CAUSE_CANT_DRIVE, "");
      case "end_shift":
        return driver.endShift();
      default:
        throw new IllegalArgumentException("command " + command + " is unknown");
    }
  }

  private JsonElement performRider(String op, JsonObject request) {
    Rider rider = riders.get(text(request, "handle"));
    switch (op) {
      case "quote":
        return toJson(rider.quote(QuoteTripRequest.newBuilder()
                                      .setMarket(text(request, "market"))
                                      .setPickup(place(request, "pickup"))
                                      .setDropoff(place(request, "dropoff"))
                                      .setPartySize(request.get("party_size").getAsInt())
                                      .build()));
      case "request":
        return toJson(rider.request(RequestTripRequest.newBuilder()
                                        .setRequestId(text(request, "request_id"))
                                        .setQuoteId(text(request, "quote_id"))
                                        .setRiderName(text(request, "name"))
                                        .setNote(text(request, "note"))
                                        .build()));
      case "change":
        return toJson(rider.changeDestination(ChangeDestinationRequest.newBuilder()
                                                  .setRequestId(text(request, "request_id"))
                                                  .setTripId(text(request, "trip_id"))
                                                  .setDropoff(place(request, "dropoff"))
                                                  .build()));
      case "cancel":
        return toJson(rider.cancel(CancelTripRequest.newBuilder()
                                       .setRequestId(text(request, "request_id"))
                                       .setTripId(text(request, "trip_id"))
                                       .setReason(CancelReason.CANCEL_REASON_CHANGED_MIND)
                                       .build()));
      case "get":
        return toJson(rider.get(text(request, "trip_id")));
      case "watch":
        TripWatch watch = rider.watch(text(request, "trip_id"));
        threads.execute(() -> follow(text(request, "watch"), watch));
        return JsonNull.INSTANCE;
      case "rider_close":
        rider.close();
        return JsonNull.INSTANCE;
      default:
        throw new IllegalArgumentException("op " + op + " is unknown");
    }
  }

  private void follow(String handle, TripWatch watch) {
    try (watch) {
      for (WatchTripResponse update : watch) writeEvent(handle, "trip", toJson(update));
      writeEvent(handle, "ended", JsonNull.INSTANCE);
    } catch (RuntimeException failure) {
      writeEvent(handle, "ended", toJson(failure));
    }
  }

  private static String text(JsonObject request, String field) {
    return request.get(field).getAsString();
  }

  private static double[] degrees(JsonObject request, String field) {
    var place = request.getAsJsonArray(field);
    return new double[] {place.get(0).getAsDouble(), place.get(1).getAsDouble()};
  }

  /** Unlike Places.of, accepts a place that is out of range, which the library must refuse. */
  private static LatLng place(JsonObject request, String field) {
    double[] degrees = degrees(request, field);
    return LatLng.newBuilder()
        .setLatE7((int) Math.round(degrees[0] * 1e7))
        .setLngE7((int) Math.round(degrees[1] * 1e7))
        .build();
  }

  private static Connection connection(JsonObject request) throws IOException {
    Path tokenFile = Path.of(text(request, "token_file"));
    return Connection.to(text(request, "address"))
        .token(() -> Files.readString(tokenFile).strip())
        .roots(Path.of(text(request, "roots")))
        .build();
  }
}
