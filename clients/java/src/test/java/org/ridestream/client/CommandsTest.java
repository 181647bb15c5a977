package org.ridestream.client;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.ridestream.client.Messages.offerEnded;
import static org.ridestream.client.Messages.plan;
import static org.ridestream.client.Messages.stop;

import com.google.protobuf.Message;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.ridestream.dispatch.v1.AnsweredCommand;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.OfferAnswer;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Rejected;
import org.ridestream.dispatch.v1.StopAction;
import org.ridestream.dispatch.v1.StopKind;
import org.ridestream.dispatch.v1.StopUpdate;

class CommandsTest {
  private static final StopKind PICK_UP = StopKind.STOP_KIND_PICK_UP;
  private static final StopKind DROP_OFF = StopKind.STOP_KIND_DROP_OFF;

  private final Commands commands = new Commands();
  private final CompletableFuture<Message> result = new CompletableFuture<>();

  private static DriveRequest step(StopAction action) {
    StopUpdate.Builder update = StopUpdate.newBuilder().setTripId("t").setAction(action);
    return DriveRequest.newBuilder().setStopUpdate(update).build();
  }

  private static DriveRequest answer(boolean accept) {
    OfferAnswer.Builder answer = OfferAnswer.newBuilder().setOfferId("o").setAccept(accept);
    return DriveRequest.newBuilder().setOfferAnswer(answer).build();
  }

  private static @Nullable Message get(CompletableFuture<Message> result) throws Exception {
    return result.get(10, TimeUnit.SECONDS);
  }

  private static Throwable failureOf(CompletableFuture<Message> result) {
    return requireNonNull(assertThrows(ExecutionException.class, () -> get(result)).getCause());
  }

  @Test
  void snapshotWithTheReachedPickUpSettlesTheArrival() throws Exception {
    assertTrue(commands.add(step(StopAction.STOP_ACTION_ARRIVED), result));
    commands.onSnapshot(plan(2, stop(PICK_UP, false), stop(DROP_OFF, false)));
    assertEquals(1, commands.requests().size());
    Plan reached = plan(3, stop(PICK_UP, true), stop(DROP_OFF, false));
    commands.onSnapshot(reached);
    assertEquals(reached, get(result));
    assertEquals(List.of(), commands.requests());
  }

  @Test
  void snapshotWithoutTheTripSettlesTheDropOff() throws Exception {
    commands.add(step(StopAction.STOP_ACTION_DROPPED_OFF), result);
    commands.onSnapshot(plan(2, stop(DROP_OFF, false)));
    assertEquals(1, commands.requests().size());
    commands.onSnapshot(plan(3));
    assertEquals(plan(3), get(result));
  }

  @Test
  void planSettlesTheCommandThatItNames() throws Exception {
    DriveRequest arrived = step(StopAction.STOP_ACTION_ARRIVED);
    commands.add(arrived, result);
    commands.onPush(plan(1, plan(2)), plan(2)); // The rider caused this plan.
    assertEquals(1, commands.requests().size());
    AnsweredCommand answer =
        AnsweredCommand.newBuilder().setStopUpdate(arrived.getStopUpdate()).build();
    commands.onPush(plan(2, plan(3).toBuilder().addAnswers(answer).build()), plan(3));
    assertEquals(plan(3), get(result));
  }

  @Test
  void repeatedCommandIsSentOnceAndBothCallsGetItsResult() throws Exception {
    CompletableFuture<Message> second = new CompletableFuture<>();
    assertTrue(commands.add(answer(true), result));
    assertFalse(commands.add(answer(true), second));
    commands.onPush(offerEnded(1, "o"), null);
    assertEquals(get(result), get(second));
  }

  @Test
  void oppositeAnswerToTheSameOfferIsRefused() throws Exception {
    CompletableFuture<Message> second = new CompletableFuture<>();
    commands.add(answer(true), result);
    commands.add(answer(false), second);
    assertInstanceOf(InvalidArgumentException.class, failureOf(second));
    commands.onPush(offerEnded(1, "o"), null);
    assertEquals(offerEnded(1, "o").getOfferEnded(), get(result));
  }

  @Test
  void unknownRejectionCodeBecomesFailedPrecondition() {
    DriveRequest arrived = step(StopAction.STOP_ACTION_ARRIVED);
    commands.add(arrived, result);
    Rejected.Builder rejected = Rejected.newBuilder()
                                    .setStopUpdate(arrived.getStopUpdate())
                                    .setCodeValue(99)
                                    .setMessage("no");
    DriveResponse message = DriveResponse.newBuilder().setSequence(1).setRejected(rejected).build();
    assertTrue(commands.isAnswer(message));
    commands.onPush(message, null);
    CommandRejectedException failure =
        assertInstanceOf(CommandRejectedException.class, failureOf(result));
    assertEquals(Status.Code.FAILED_PRECONDITION, failure.code());
    assertEquals("no", failure.description());
    assertFalse(commands.isAnswer(message));
  }
}
