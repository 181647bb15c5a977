import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Commands } from "./commands.js";
import { Pauses } from "./connection.js";
import { ProtocolError } from "./errors.js";
import {
  type DriveResponse,
  DriveRequestSchema,
  DriveResponseSchema,
  HelloSchema,
  OfferOutcome,
  PlanSchema,
  type SnapshotSchema,
  StopAction,
} from "./gen/ridestream/dispatch/v1/dispatch_pb.js";
import { type Event, Session } from "./session.js";

function response(
  sequence: number,
  message: MessageInitShape<typeof DriveResponseSchema>["message"] = { case: undefined },
): DriveResponse {
  return create(DriveResponseSchema, { sequence: BigInt(sequence), message });
}

function welcome(
  epoch: number,
  other: { resumed?: boolean; snapshot?: MessageInitShape<typeof SnapshotSchema> } = {},
): DriveResponse {
  const value = {
    sessionId: "s",
    driverId: "d",
    epoch: BigInt(epoch),
    reportEvery: { seconds: 4n },
    heartbeat: { seconds: 7n },
    clockRate: 1,
    ...other,
  };
  return response(0, { case: "welcome", value });
}

function offer(sequence: number, offerId = "o"): DriveResponse {
  return response(sequence, { case: "offer", value: { offerId, tripId: "t", driverId: "d" } });
}

function plan(sequence: number, version: number): DriveResponse {
  return response(sequence, { case: "plan", value: { version: BigInt(version), driverId: "d" } });
}

/** Takes the next event, and returns its kind and number. */
function take(session: Session): string | undefined {
  const event: Event | undefined = session.take();
  if (event?.case === "plan") return `plan ${event.value.version}`;
  if (event?.case === "offer") return `offer ${event.value.offerId}`;
  return event?.case;
}

function connectedSession(): Session {
  const session = new Session();
  session.onWelcome(welcome(1));
  assert.equal(take(session), "connected");
  return session;
}

test("a push is acked when the app has taken it", () => {
  const session = connectedSession();
  session.onPush(offer(1));
  assert.equal(session.ack, 0n);
  assert.equal(take(session), "offer o");
  assert.equal(session.ack, 1n);
});

test("a push of an unknown kind is acked after the pushes before it", () => {
  const session = connectedSession();
  session.onPush(response(1));
  assert.equal(session.ack, 1n);
  session.onPush(offer(2));
  session.onPush(response(3));
  assert.equal(session.ack, 1n);
  take(session);
  assert.equal(session.ack, 3n);
});

test("a resume lists received pushes that the app has not taken", () => {
  const session = connectedSession();
  session.onPush(offer(1));
  session.onPush(plan(2, 7));
  const { resume } = session.hello(create(HelloSchema, { market: "m" }));
  assert.equal(resume?.sessionId, "s");
  assert.deepEqual([resume.epoch, resume.lastSequence, resume.planVersion], [1n, 2n, 7n]);
});

test("nothing is reported twice after a resume", () => {
  const session = connectedSession();
  session.onPush(offer(1));
  take(session);
  const snapshot = {
    plan: { version: 9n, driverId: "d" },
    offer: { offerId: "o", tripId: "t", driverId: "d" },
  };
  session.onWelcome(welcome(2, { resumed: true, snapshot }));
  session.onPush(offer(1));
  session.onPush(plan(2, 8));
  assert.equal(take(session), "connected");
  assert.equal(take(session), "plan 9");
  assert.equal(take(session), undefined);
  assert.equal(session.ack, 2n);
});

test("a new session drops pushes that the app has not taken", () => {
  const session = connectedSession();
  session.onPush(offer(1));
  session.onWelcome(welcome(2));
  assert.equal(take(session), "connected");
  assert.equal(take(session), undefined);
  assert.equal(session.offer, undefined);
  session.onPush(plan(1, 1));
  assert.equal(take(session), "plan 1");
});

test("the end of an offer is reported once", () => {
  const session = connectedSession();
  session.onPush(offer(1));
  const value = { offerId: "o", tripId: "t", outcome: OfferOutcome.ACCEPTED };
  session.onPush(response(2, { case: "offerEnded", value }));
  session.onPush(response(3, { case: "offerEnded", value }));
  assert.equal(take(session), "offer o");
  assert.equal(take(session), "offerEnded");
  assert.equal(take(session), undefined);
});

test("only the newest plan is reported", () => {
  const session = connectedSession();
  for (let number = 1; number < 60; number++) session.onPush(plan(number, number));
  assert.equal(take(session), "plan 59");
  assert.equal(take(session), undefined);
  assert.equal(session.ack, 59n);
});

test("a plan without a route keeps the route that was sent before with the same id", () => {
  const session = connectedSession();
  const stops = [{ tripId: "t" }];
  const first = { version: 1n, driverId: "d", routeId: 5n, stops, route: { lengthM: 80 } };
  session.onPush(response(1, { case: "plan", value: first }));
  session.onPush(
    response(2, { case: "plan", value: { version: 2n, driverId: "d", routeId: 5n, stops } }),
  );
  assert.equal(session.plan?.route?.lengthM, 80);
  session.onPush(
    response(3, { case: "plan", value: { version: 3n, driverId: "d", routeId: 6n, stops } }),
  );
  assert.equal(session.plan.route, undefined);
});

test("a push for another driver is a protocol error", () => {
  for (const message of [
    { case: "plan" as const, value: { version: 1n, driverId: "e" } },
    { case: "offer" as const, value: { offerId: "o", tripId: "t", driverId: "" } },
  ]) {
    assert.throws(
      () => connectedSession().onPush(response(1, message)),
      /driver_id: is of driver '/,
    );
  }
});

test("a known offer for another driver is a protocol error", () => {
  const session = connectedSession();
  session.onPush(offer(1));
  const again = { offerId: "o", tripId: "t", driverId: "e" };
  assert.throws(
    () => session.onPush(response(2, { case: "offer", value: again })),
    /offer.driver_id: is of driver 'e', not of 'd'/,
  );
});

test("a plan settles the commands that it names", async () => {
  const commands = new Commands();
  const update = { tripId: "t", action: StopAction.ARRIVED };
  const message = { case: "stopUpdate" as const, value: update };
  const arrived = commands.add(create(DriveRequestSchema, { message })).result;
  const newest = create(PlanSchema, { version: 2n });
  // A plan with another cause, e.g. the rider cancelled.
  const cancelled = { case: "plan" as const, value: { version: 1n } };
  commands.onPush(response(1, cancelled), newest);
  assert.equal(commands.requests().length, 1);
  const value = { version: 2n, answers: [{ command: message }] };
  commands.onPush(response(2, { case: "plan", value }), newest);
  assert.equal(await arrived, newest);
  const giveUp = { case: "giveUp" as const, value: { tripId: "t" } };
  const givenUp = commands.add(create(DriveRequestSchema, { message: giveUp })).result;
  const answers = [{ command: { case: "givenUpTripId" as const, value: "t" } }];
  commands.onPush(response(3, { case: "plan", value: { answers } }), newest);
  assert.equal(await givenUp, newest);
});

test("too many unacked pushes are a protocol error", () => {
  const session = connectedSession();
  assert.throws(() => {
    for (let number = 1; number < 1_000; number++) session.onPush(offer(number, `o-${number}`));
  }, ProtocolError);
});

test("pauses double up to eight seconds", () => {
  const pauses = new Pauses(() => 1);
  const values = Array.from({ length: 6 }, () => pauses.next());
  assert.deepEqual(values, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
  assert.equal(pauses.next(2_000), 2_500);
  pauses.reset();
  assert.equal(pauses.next(), 500);
});

test("a pause that is negative, too long or not a number is refused", () => {
  for (const ms of [-5_000, 31_536_000_000, Number.NaN]) {
    assert.throws(() => new Pauses().next(ms), ProtocolError);
  }
});
