package org.ridestream.client;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.ridestream.client.Messages.message;
import static org.ridestream.client.Messages.offer;
import static org.ridestream.client.Messages.offerEnded;
import static org.ridestream.client.Messages.welcome;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.ridestream.dispatch.v1.DispatchServiceGrpc;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.Hello;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.OfferEnded;

/** Tests a driver against a server in this process. */
class DriverTest {
  private static final Hello SHIFT = Hello.newBuilder().setMarket("city").setSeats(4).build();

  /** The server's side of a driver's stream. */
  private static final class Stream implements StreamObserver<DriveRequest> {
    final BlockingQueue<DriveRequest> received = new LinkedBlockingQueue<>();
    final StreamObserver<DriveResponse> answers;

    Stream(StreamObserver<DriveResponse> answers) {
      this.answers = answers;
    }

    /** Discards messages of other kinds, and returns the next of this kind. */
    DriveRequest await(DriveRequest.MessageCase kind) throws InterruptedException {
      DriveRequest request = received.poll(10, TimeUnit.SECONDS);
      while (request != null && request.getMessageCase() != kind) {
        request = received.poll(10, TimeUnit.SECONDS);
      }
      if (request == null) throw new AssertionError("no " + kind + " within 10 s");
      return request;
    }

    @Override
    public void onNext(DriveRequest request) {
      received.add(request);
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {}
  }

  private final BlockingQueue<Stream> streams = new LinkedBlockingQueue<>();
  private final Server server =
      Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
          .addService(new DispatchServiceGrpc.DispatchServiceImplBase() {
            @Override
            public StreamObserver<DriveRequest> drive(StreamObserver<DriveResponse> answers) {
              Stream stream = new Stream(answers);
              streams.add(stream);
              return stream;
            }
          })
          .build();

  @BeforeEach
  void start() throws IOException {
    server.start();
  }

  @AfterEach
  void stop() {
    server.shutdownNow();
  }

  private Driver begin(DriverListener listener) {
    String address = "127.0.0.1:" + server.getPort();
    return Driver.begin(
        Connection.to(address).insecureCaller("driver/grace").build(), SHIFT, listener);
  }

  private Stream nextStream() throws InterruptedException {
    Stream stream = streams.poll(10, TimeUnit.SECONDS);
    if (stream == null) throw new AssertionError("no stream within 10 s");
    return stream;
  }

  private static <T> @Nullable T get(CompletableFuture<T> future) throws Exception {
    return future.get(10, TimeUnit.SECONDS);
  }

  private static Throwable failureOf(CompletableFuture<?> future) {
    return requireNonNull(assertThrows(ExecutionException.class, () -> get(future)).getCause());
  }

  @Test
  void listenerMayWaitForTheEffectOfACommand() throws Exception {
    CompletableFuture<OfferEnded> effect = new CompletableFuture<>();
    DriverListener listener = new DriverListener() {
      @Override
      public void onOffer(Driver driver, Offer offer) {
        effect.complete(driver.accept(offer.getOfferId()).join());
      }
    };
    try (Driver driver = begin(listener)) {
      Stream stream = nextStream();
      stream.answers.onNext(message(welcome(1)));
      stream.answers.onNext(offer(1, "o"));
      stream.await(DriveRequest.MessageCase.OFFER_ANSWER);
      stream.answers.onNext(offerEnded(2, "o"));
      assertEquals(offerEnded(2, "o").getOfferEnded(), get(effect));
    }
  }

  @Test
  void commandIsRepeatedOnTheNextStreamUntilItsEffectIsSeen() throws Exception {
    try (Driver driver = begin(new DriverListener() {})) {
      Stream first = nextStream();
      first.answers.onNext(message(welcome(1)));
      CompletableFuture<OfferEnded> effect = driver.accept("o");
      first.await(DriveRequest.MessageCase.OFFER_ANSWER);
      first.answers.onError(Status.UNAVAILABLE.asRuntimeException());
      Stream second = nextStream();
      Hello hello = second.await(DriveRequest.MessageCase.HELLO).getHello();
      assertEquals("s", hello.getResume().getSessionId());
      second.answers.onNext(message(welcome(2).setResumed(true)));
      second.await(DriveRequest.MessageCase.OFFER_ANSWER);
      second.answers.onNext(offerEnded(1, "o"));
      assertEquals(offerEnded(1, "o").getOfferEnded(), get(effect));
    }
  }

  @Test
  void refusalWithAPauseIsRetriedAndWithoutOneIsFinal() throws Exception {
    Metadata pause = new Metadata();
    pause.put(Metadata.Key.of("retry-after-ms", Metadata.ASCII_STRING_MARSHALLER), "1");
    try (Driver driver = begin(new DriverListener() {})) {
      nextStream().answers.onError(Status.FAILED_PRECONDITION.asRuntimeException(pause));
      nextStream().answers.onError(Status.FAILED_PRECONDITION.asRuntimeException());
      CallFailedException failure =
          assertInstanceOf(CallFailedException.class, failureOf(driver.ended()));
      assertEquals(Status.Code.FAILED_PRECONDITION, failure.code());
    }
  }

  @Test
  void listenerThatThrowsEndsTheDriver() throws Exception {
    RuntimeException fault = new IllegalStateException("an error of the app");
    Driver driver = begin(new DriverListener() {
      @Override
      public void onConnected(Driver connected, Connected event) {
        throw fault;
      }
    });
    nextStream().answers.onNext(message(welcome(1)));
    assertSame(fault, failureOf(driver.ended()));
  }

  @Test
  void closedDriverFailsItsCommandsAndEndsWithoutAnError() throws Exception {
    Driver driver = begin(new DriverListener() {});
    CompletableFuture<OfferEnded> before = driver.accept("o");
    driver.close();
    assertInstanceOf(DriverStoppedException.class, failureOf(before));
    assertNull(get(driver.ended()));
    assertInstanceOf(DriverStoppedException.class, failureOf(driver.endShift()));
  }

  @Test
  void failingTokenSourceEndsTheDriver() {
    IOException fault = new IOException("no token");
    Connection connection =
        Connection.to("127.0.0.1:" + server.getPort()).token(() -> { throw fault; }).build();
    Driver driver = Driver.begin(connection, SHIFT, new DriverListener() {});
    assertSame(fault, failureOf(driver.ended()).getCause());
  }
}
