import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  DriveResponseSchema,
  OfferOutcome,
  StopAction,
  StopKind,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { Drive } from "./drive.js";
import type { DriveCall, DriveListener, DriveMessage } from "./drive_session.js";

type Push = MessageInitShape<typeof DriveResponseSchema>["message"];

/** Dispatch's end of the streams that a driver opens. */
class FakeDispatch {
  readonly calls: { sent: DriveMessage[]; cancelled: boolean; listener: DriveListener }[] = [];
  readonly open = (_driverId: string, listener: DriveListener): DriveCall => {
    const call = { sent: [] as DriveMessage[], cancelled: false, listener };
    this.calls.push(call);
    return {
      send: ({ message }) => call.sent.push(message),
      cancel: () => {
        call.cancelled = true;
      },
    };
  };
  get last() {
    return this.calls[this.calls.length - 1] as FakeDispatch["calls"][number];
  }
  push(message: Push, sequence = 0) {
    const pushed = { sequence: BigInt(sequence), ...(message && { message }) };
    this.last.listener.onMessage(create(DriveResponseSchema, pushed));
  }
  welcome(resumed = false) {
    const value = { sessionId: "s-1", epoch: 3n, resumed, reportEvery: { seconds: 4n } };
    this.push({ case: "welcome", value });
  }
  sent(which: DriveMessage["case"]): unknown[] {
    return this.last.sent.filter((each) => each.case === which).map((each) => each.value);
  }
}

function startDriving(rate = 1) {
  const dispatch = new FakeDispatch();
  const drive = new Drive({
    market: "city",
    open: dispatch.open,
    rate: () => rate,
    random: () => 1,
  });
  drive.start("d-1", [-30, 45], 4, 1000);
  return { drive, dispatch };
}

const kTrip = { tripId: "t-1", passenger: { name: "Grace", partySize: 1 } };
/** A street of two pieces, 10 s each, northwards; the rider waits where they meet. */
const kPlan: Push = {
  case: "plan",
  value: {
    version: 1n,
    routeId: 9n,
    route: {
      latE7: [450_000_000, 10_000, 10_000],
      lngE7: [-300_000_000, 0, 0],
      pieceMs: [10_000, 10_000],
    },
    stops: [
      { ...kTrip, kind: StopKind.PICK_UP, place: { latE7: 450_010_000, lngE7: -300_000_000 } },
      { ...kTrip, kind: StopKind.DROP_OFF, place: { latE7: 450_020_000, lngE7: -300_000_000 } },
    ],
  },
};

test("sends Hello, and reports positions after the Welcome", () => {
  const { drive, dispatch } = startDriving();
  expect(dispatch.sent("hello")[0]).toMatchObject({ market: "city", seats: 4 });
  drive.onTime(2000);
  expect(dispatch.sent("position")).toEqual([]);
  dispatch.welcome();
  expect(dispatch.sent("position")).toHaveLength(1);
  drive.onTime(5900);
  expect(dispatch.sent("position")).toHaveLength(1);
  drive.onTime(6000);
  expect(dispatch.sent("position")[1]).toMatchObject({ sequence: 2n, latE7: 450_000_000 });
});

test("shows an offer until it ends, and answers it by its id", () => {
  const { drive, dispatch } = startDriving();
  dispatch.welcome();
  dispatch.push({ case: "offer", value: { offerId: "o-1" } }, 1);
  expect(drive.state.value.offer?.offerId).toBe("o-1");
  drive.answer(true);
  expect(dispatch.sent("offerAnswer")).toEqual([{ offerId: "o-1", accept: true }]);
  const ended = { offerId: "o-1", outcome: OfferOutcome.ALREADY_TAKEN };
  dispatch.push({ case: "offerEnded", value: ended }, 2);
  expect(drive.state.value).toMatchObject({ offer: null, notice: "Another driver was faster." });
  expect(dispatch.sent("ack")).toEqual([{ sequence: 1n }, { sequence: 2n }]);
});

test("drives along its route by the city's clock, and halts at the next stop", () => {
  const { drive, dispatch } = startDriving(10);
  dispatch.welcome();
  dispatch.push(kPlan, 1);
  expect(drive.state.value.isAtStop).toBe(false);
  drive.onTime(1500); // Half a second of real time, five by the city's clock.
  expect(drive.state.value.place?.[1]).toBeCloseTo(45.0005, 6);
  expect(drive.state.value.headingDeg).toBe(0);
  drive.onTime(60_000);
  expect(drive.state.value.place?.[1]).toBeCloseTo(45.001, 6);
  expect(drive.state.value.isAtStop).toBe(true);
  drive.act(StopAction.ARRIVED);
  expect(dispatch.sent("stopUpdate")).toEqual([{ tripId: "t-1", action: StopAction.ARRIVED }]);
});

test("continues along the same route when a plan has none", () => {
  const { drive, dispatch } = startDriving();
  dispatch.welcome();
  dispatch.push(kPlan, 1);
  drive.onTime(60_000);
  const dropOff = (kPlan.value as { stops: object[] }).stops[1] as object;
  dispatch.push({ case: "plan", value: { version: 2n, routeId: 9n, stops: [dropOff] } }, 2);
  drive.onTime(120_000);
  expect(drive.state.value.place?.[1]).toBeCloseTo(45.002, 6);
  dispatch.push({ case: "plan", value: { version: 3n, routeId: 9n, stops: [] } }, 3);
  expect(drive.state.value).toMatchObject({ route: [], isAtStop: false });
  expect(drive.state.value.place?.[1]).toBeCloseTo(45.002, 6);
});

test("resumes after a cut, and takes a repeated push once", () => {
  const { drive, dispatch } = startDriving();
  dispatch.welcome();
  dispatch.push(kPlan, 1);
  dispatch.last.listener.onEnd(new ConnectError("cut", Code.Unavailable));
  expect(drive.state.value.link.kind).toBe("lost");
  drive.onTime(1400);
  expect(dispatch.calls).toHaveLength(1);
  drive.onTime(1500);
  expect(dispatch.calls).toHaveLength(2);
  expect(dispatch.sent("hello")[0]).toMatchObject({
    resume: { sessionId: "s-1", epoch: 3n, lastSequence: 1n, planVersion: 1n },
  });
  dispatch.welcome(true);
  dispatch.push({ case: "plan", value: { version: 99n, routeId: 1n, stops: [] } }, 1);
  expect(drive.state.value.plan?.version).toBe(1n);
  expect(drive.state.value.link.kind).toBe("live");
});

test("takes the plan of a resumed session's snapshot, and no older one after it", () => {
  const { drive, dispatch } = startDriving();
  dispatch.welcome();
  dispatch.push(kPlan, 1);
  dispatch.last.listener.onEnd(new ConnectError("cut", Code.Unavailable));
  drive.onTime(1500);
  const plan = { version: 5n, routeId: 9n, stops: [] };
  const value = { sessionId: "s-1", epoch: 4n, resumed: true, snapshot: { plan } };
  dispatch.push({ case: "welcome", value });
  expect(drive.state.value.plan?.version).toBe(5n);
  dispatch.push({ case: "plan", value: { version: 2n, routeId: 9n, stops: [kTrip] } }, 2);
  expect(drive.state.value.plan?.stops).toEqual([]);
  expect(dispatch.sent("ack")).toEqual([{ sequence: 2n }]);
});

test("stops without another attempt when a newer session has the car", () => {
  const { drive, dispatch } = startDriving();
  dispatch.welcome();
  dispatch.last.listener.onEnd(new ConnectError("a newer session", Code.Aborted));
  drive.onTime(1_000_000);
  expect(dispatch.calls).toHaveLength(1);
  expect(drive.state.value).toMatchObject({
    driverId: null,
    notice: "Another driver has taken over this car.",
  });
});

test("stop ends the stream", () => {
  const { drive, dispatch } = startDriving();
  dispatch.welcome();
  drive.stop();
  expect(dispatch.last.cancelled).toBe(true);
  drive.onTime(9_999_999);
  expect(dispatch.calls).toHaveLength(1);
});
