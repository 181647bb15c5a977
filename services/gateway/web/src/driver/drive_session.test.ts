import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test } from "vitest";
import type { Link } from "../api/follow.js";
import {
  DriveResponseSchema,
  type DriveResponse,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { DriveSession, type DriveListener, type DriveMessage } from "./drive_session.js";

interface FakeCall {
  readonly sent: DriveMessage[];
  readonly listener: DriveListener;
  cancelled: boolean;
}

let calls: FakeCall[];
let links: Link[];
let pushes: DriveResponse["message"]["case"][];
let session: DriveSession;

beforeEach(() => {
  calls = [];
  links = [];
  pushes = [];
  session = new DriveSession({
    market: "city",
    driverId: "d-1",
    seats: 4,
    open: (_driverId, listener) => {
      const call: FakeCall = { sent: [], listener, cancelled: false };
      calls.push(call);
      return {
        send: ({ message }) => call.sent.push(message),
        cancel: () => {
          call.cancelled = true;
        },
      };
    },
    onWelcome: () => undefined,
    onPush: (push) => pushes.push(push.case),
    onLink: (link) => links.push(link),
    onPseudonym: () => undefined,
    planVersion: () => 3n,
    random: () => 1,
  });
});

const lastCall = () => calls.at(-1) as FakeCall;
const sent = (which: DriveMessage["case"]) =>
  lastCall().sent.flatMap((each) => (each.case === which ? [each.value] : []));

function receive(message: MessageInitShape<typeof DriveResponseSchema>["message"], sequence = 0) {
  const response = { sequence: BigInt(sequence), ...(message && { message }) };
  lastCall().listener.onMessage(create(DriveResponseSchema, response));
}

function welcome(resumed = false) {
  const reportEvery = { seconds: 2n };
  receive({ case: "welcome", value: { sessionId: "s-1", epoch: 1n, resumed, reportEvery } });
}

function lose(code = Code.Unavailable) {
  lastCall().listener.onEnd(new ConnectError("cut", code));
}

test("is live from the welcome until the stream breaks", () => {
  session.onTime(0);
  expect(session.isLive).toBe(false);
  welcome();
  expect(session.isLive).toBe(true);
  expect(session.reportEveryMs).toBe(2000);
  lose();
  expect(session.isLive).toBe(false);
  expect(links.map((link) => link.kind)).toEqual(["connecting", "live", "lost"]);
});

test("answers heartbeats, and acknowledges pushes cumulatively", () => {
  session.onTime(0);
  welcome();
  receive({ case: "heartbeat", value: {} });
  expect(sent("heartbeat")).toHaveLength(1);
  receive({ case: "offer", value: { offerId: "o-1" } }, 1);
  receive({ case: "offerEnded", value: { offerId: "o-1" } }, 2);
  expect(sent("ack")).toEqual([{ sequence: 1n }, { sequence: 2n }]);
  expect(pushes).toEqual(["offer", "offerEnded"]);
});

test("takes a repeated push once and acknowledges it again", () => {
  session.onTime(0);
  welcome();
  receive({ case: "offer", value: { offerId: "o-1" } }, 1);
  lose();
  session.onTime(1_000);
  welcome(/*resumed=*/ true);
  receive({ case: "offer", value: { offerId: "o-1" } }, 1);
  expect(pushes).toEqual(["offer"]);
  expect(sent("ack")).toEqual([{ sequence: 1n }]);
});

test("numbers start again when a session can't be resumed", () => {
  session.onTime(0);
  welcome();
  receive({ case: "offer", value: { offerId: "o-1" } }, 5);
  lose();
  session.onTime(1_000);
  expect(sent("hello")).toMatchObject([{ resume: { sessionId: "s-1", lastSequence: 5n } }]);
  welcome(/*resumed=*/ false);
  receive({ case: "offer", value: { offerId: "o-2" } }, 1);
  expect(pushes).toEqual(["offer", "offer"]);
});

test("pauses grow up to a bound, and start again after a welcome", () => {
  let nowMs = 0;
  const pauses: number[] = [];
  const loseAndMeasure = () => {
    const lostAtMs = nowMs;
    lose();
    for (const opened = calls.length; calls.length === opened; nowMs += 50) session.onTime(nowMs);
    pauses.push(nowMs - 50 - lostAtMs);
    nowMs -= 50;
  };
  session.onTime(nowMs);
  for (let i = 0; i < 6; ++i) loseAndMeasure();
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 8000]);
  welcome();
  loseAndMeasure();
  expect(pauses.at(-1)).toBe(500);
});

test.each([Code.Aborted, Code.InvalidArgument, Code.NotFound, Code.PermissionDenied])(
  "does not try again after error %d",
  (code) => {
    session.onTime(0);
    welcome();
    lose(code);
    session.onTime(1e9);
    expect(calls).toHaveLength(1);
    expect(links.at(-1)?.kind).toBe("ended");
  },
);

test("resumes when the proof of an open stream has ended, and ends when the next one is refused", () => {
  session.onTime(0);
  welcome();
  lose(Code.Unauthenticated);
  session.onTime(1_000);
  expect(sent("hello")).toMatchObject([{ resume: { sessionId: "s-1" } }]);
  lose(Code.Unauthenticated);
  expect(links.at(-1)?.kind).toBe("ended");
});

test("ignores what a replaced or closed stream still says", () => {
  session.onTime(0);
  welcome();
  const first = lastCall();
  lose();
  session.onTime(1_000);
  first.listener.onEnd(new ConnectError("late", Code.Aborted));
  expect(links.at(-1)?.kind).toBe("lost");
  session.close();
  expect(lastCall().cancelled).toBe(true);
  receive({ case: "offer", value: { offerId: "o-1" } }, 1);
  lose();
  session.onTime(1e9);
  expect(pushes).toEqual([]);
  expect(calls).toHaveLength(2);
});
